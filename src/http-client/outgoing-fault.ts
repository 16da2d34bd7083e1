/** Why a call got no response. */
export class OutgoingFault extends Error {
  override readonly name = "OutgoingFault";
  readonly code: "refused_url" | "private_address" | "unreachable" | "timeout" | "too_large";

  /** For `unreachable`, the system's error code, such as `ECONNREFUSED` or `CERT_HAS_EXPIRED`; else `code`. */
  readonly reason: string;

  constructor(code: OutgoingFault["code"], message: string, reason: string = code) {
    super(message);
    this.code = code;
    this.reason = reason;
  }
}
