/** Places at a piece of work that only so many hosts may do at once. */
export interface Permits {
  /**
   * Waits for one of `limit` places (first come, first served), then does the work.
   *
   * @param onWait called where no place is free at once
   */
  hold<T>(name: string, limit: number, work: () => Promise<T>, onWait: () => void): Promise<T>
}

interface Places {
  taken: number
  readonly waiting: (() => void)[]
}

export function createPermits(): Permits {
  const places = new Map<string, Places>()
  return {
    hold: async (name, limit, work, onWait) => {
      const own = places.get(name) ?? { taken: 0, waiting: [] }
      places.set(name, own)
      if (own.taken < limit) own.taken += 1
      else {
        onWait()
        // Whoever leaves hands its place over.
        await new Promise<void>((resolve) => own.waiting.push(resolve))
      }
      try {
        return await work()
      } finally {
        const next = own.waiting.shift()
        if (next === undefined) own.taken -= 1
        else next()
      }
    },
  }
}
