export type * from '../model/access.ts'
