import type { Reads } from "../../../service/ports/store.ts";
import type { ReadCache } from "../../shared/read-cache.ts";
import type { Db } from "../tables/database.ts";
import { asFault } from "../tables/sqlite-faults.ts";
import { createApiKeyReads } from "./api-keys.ts";
import { createAuditReads } from "./audit-events.ts";
import { cacheIdentities } from "./cached-identities.ts";
import { createClockReads } from "./clock-mark.ts";
import { createCounterReads } from "./counters.ts";
import { createCredentialReads } from "./credentials.ts";
import { createCursorReads } from "./cursors.ts";
import { createDeliveryReads } from "./deliveries.ts";
import { createTargetReads } from "./grant-targets.ts";
import { createGrantReads } from "./grants.ts";
import { createHistoryReads } from "./history.ts";
import { createIdempotencyReads } from "./idempotency-records.ts";
import { createIdentityReads } from "./identities.ts";
import { createOutboxReads } from "./outbox.ts";
import { createRequestList } from "./requests/list-requests.ts";
import { createRequestReads } from "./requests/requests.ts";
import { createRulebookReads } from "./rulebook.ts";
import { createAddressReads } from "./surface-addresses.ts";
import { createUniqueNameReads } from "./unique-names.ts";

/** Every read of the store. One that fails throws the port's errors, not SQLite's. */
export function createReads(db: Db, readCache: ReadCache): Reads {
  const identities = cacheIdentities(db, readCache);
  return translateErrors({
    ...createRequestReads(db),
    ...createRequestList(db),
    ...createGrantReads(db),
    ...createTargetReads(db),
    ...createCredentialReads(db, identities),
    ...createIdentityReads(db, identities),
    ...createApiKeyReads(db, readCache),
    ...createRulebookReads(db, readCache),
    ...createUniqueNameReads(db),
    ...createCounterReads(db),
    ...createHistoryReads(db),
    ...createIdempotencyReads(db),
    ...createOutboxReads(db),
    ...createDeliveryReads(db),
    ...createAddressReads(db),
    ...createAuditReads(db),
    ...createCursorReads(db),
    ...createClockReads(db),
  });
}

function translateErrors(reads: Reads): Reads {
  const translated = Object.entries(reads).map(([name, read]) => [
    name,
    async (...asked: readonly unknown[]): Promise<unknown> => {
      try {
        return await Reflect.apply(read, undefined, asked);
      } catch (error) {
        throw asFault(error);
      }
    },
  ]);
  return Object.fromEntries(translated);
}
