/** The store cannot be opened. The message is one sentence for the operator, and nothing was changed. */
export class StoreOpenError extends Error {
  override readonly name = "StoreOpenError";
}
