import { ConnectorFault } from "../../service/ports/connector.ts";
import { DeliveryFault } from "../../service/messaging/messenger.ts";

/** What the relay has to know of a fault, whoever threw it. */
export interface FaultFacts {
  /** Stable and without secrets. */
  readonly code: string;
  /** False: trying again changes nothing. */
  readonly retryable: boolean;
  readonly retryAfterMs?: number;
  /** Nobody gets through on this way at the moment. */
  readonly isDestinationDown: boolean;
}

export function factsOf(fault: unknown): FaultFacts {
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
