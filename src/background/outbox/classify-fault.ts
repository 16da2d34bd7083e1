import { ConnectorFault } from "../../service/ports/connector.ts";
import { DeliveryFault } from "../../service/messaging/messenger.ts";

/** What the relay needs to know about a fault of any kind. */
export interface FaultFacts {
  /** Stable and without secrets. */
  readonly code: string;
  /** False: a retry would fail the same way. */
  readonly retryable: boolean;
  readonly retryAfterMs?: number;
  /** No call to this destination succeeds at the moment. */
  readonly isDestinationDown: boolean;
}

export function classifyFault(fault: unknown): FaultFacts {
  if (fault instanceof DeliveryFault) {
    const { code, retryable, retryAfterMs, isSurfaceDown } = fault;
    return {
      code,
      retryable,
      isDestinationDown: isSurfaceDown,
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    };
  }
  if (fault instanceof ConnectorFault) {
    const { code, retryable, isTargetDown } = fault;
    return { code, retryable, isDestinationDown: isTargetDown };
  }
  return { code: fault instanceof Error ? fault.name : "unknown", retryable: true, isDestinationDown: false };
}
