/** Why the store will not open, as one sentence for the operator. The start ends with it and nothing was changed. */
export class StoreOpenError extends Error {
  override readonly name = "StoreOpenError";
}
