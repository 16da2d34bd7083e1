import { ConnectorFault } from "../../service/ports/connector.ts";

/** A fault with one explanation for the log and for people. It must not contain a secret. */
export function explainedFault(
  code: ConnectorFault["code"],
  connector: string,
  reason: string,
  { retryable }: { readonly retryable: boolean },
): ConnectorFault {
  return new ConnectorFault(code, `${connector}: ${reason}`, { retryable, reason });
}
