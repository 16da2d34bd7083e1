/** Explanations by system error code, for people. They contain no address and no secret. */
const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens on its port (connection refused)",
  ENOTFOUND: "its host name is unknown",
  EAI_AGAIN: "its host name cannot be looked up at the moment",
  ETIMEDOUT: "it did not answer in time: check for a firewall on the way",
  ESOCKETTIMEDOUT: "it did not answer in time",
  ECONNRESET: "it closed the connection",
  EPIPE: "it closed the connection",
  EHOSTUNREACH: "there is no route to its address",
  ENETUNREACH: "there is no route to its network",
  EADDRNOTAVAIL: "there is no route to its address",
  EACCES: "the system does not let us connect to its port",
  CERT_HAS_EXPIRED: "its certificate has expired",
  CERT_NOT_YET_VALID: "its certificate is not valid yet: compare the clocks",
  CERT_REVOKED: "its certificate was revoked",
  DEPTH_ZERO_SELF_SIGNED_CERT: "its certificate is self-signed and not trusted here",
  SELF_SIGNED_CERT_IN_CHAIN: "its certificate comes from an authority that is not trusted here",
  UNABLE_TO_GET_ISSUER_CERT: "its certificate comes from an authority that is not trusted here",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "its certificate comes from an authority that is not trusted here",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "its certificate comes from an authority that is not trusted here",
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another host name",
  EPROTO: "it does not support TLS there, or no version that we support",
  ERR_SSL_WRONG_VERSION_NUMBER: "it does not support TLS there",
  ERR_SSL_PACKET_LENGTH_TOO_LONG: "it does not support TLS there",
};

/** The code of a network error, such as `ECONNREFUSED`; undefined when it has none. */
export function networkCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

/** Explains why a target cannot be reached; undefined for any other code. */
export function networkReason(code: string | undefined): string | undefined {
  if (code === undefined) return undefined;
  if (Object.hasOwn(reasons, code)) return reasons[code];
  if (/CERT|ISSUER|SIGNATURE/.test(code)) return `its certificate is not accepted (${code})`;
  return code.startsWith("ERR_SSL_") ? "it does not support TLS there" : undefined;
}
