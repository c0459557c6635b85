/** A blob that must be signed by this identity, which this issuer vouches for. */
export interface SignatureRequest {
  readonly blob: Uint8Array
  /** Of the blob, for messages. */
  readonly name: string
  /** The signature with its certificate, as `cosign sign-blob --bundle` writes it. */
  readonly bundle: Uint8Array
  readonly identity: string
  readonly issuer: string
}
