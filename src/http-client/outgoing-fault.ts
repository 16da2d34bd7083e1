/** Why there is no answer. */
export class OutgoingFault extends Error {
  override readonly name = "OutgoingFault";
  readonly code: "refused_url" | "private_address" | "unreachable" | "timeout" | "too_large";

  /** Of `unreachable` the system's own word, such as `ECONNREFUSED` or `CERT_HAS_EXPIRED`; else the code. */
  readonly reason: string;

  constructor(code: OutgoingFault["code"], message: string, reason: string = code) {
    super(message);
    this.code = code;
    this.reason = reason;
  }
}
