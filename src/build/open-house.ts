import type { Logger } from "pino";
import type { Settings } from "../config/environment.ts";
import { ensureAdminKey, loadConfiguration } from "./configuration.ts";
import { buildHouse, type House } from "./house.ts";
import { Refused } from "./refused.ts";

/** Builds everything and makes it say what the configuration says; closes it again when that is refused. */
export async function openHouse(
  settings: Settings,
  keptAdminKey: string | undefined,
  log: Logger,
): Promise<House> {
  const onFatal = (err: unknown): void => {
    // What the disk holds is unknown from here on: answering anybody could be a lie. Starting again reads the truth.
    log.fatal({ err }, "the database failed while writing");
    process.exit(70);
  };
  const house = await buildHouse(settings, log, onFatal);
  const { auditFile } = house;
  try {
    await auditFile?.start().catch((error: unknown) => {
      throw new Refused([
        `AUDIT_FILE cannot be written: ${error instanceof Error ? error.message : "unknown"}.`,
      ]);
    });
    await loadConfiguration(settings, house, log);
    await ensureAdminKey(settings, keptAdminKey, house.context, log);
    await house.relay.begin();
    return house;
  } catch (error) {
    await house.webhooks.stop();
    await auditFile?.stop();
    await house.connectors.close();
    await house.store.close();
    throw error;
  }
}
