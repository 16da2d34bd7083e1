import { ConnectorFault } from "../../service/ports/connector.ts";

/** A fault whose cause we word ourselves: the same clause for the log and for people. It must hold no secret. */
export function explainedFault(
  code: ConnectorFault["code"],
  connector: string,
  reason: string,
  { retryable }: { readonly retryable: boolean },
): ConnectorFault {
  return new ConnectorFault(code, `${connector}: ${reason}`, { retryable, reason });
}
