import type { Logger } from "pino";
import { recheckAddresses } from "../service/targets/connector-addresses.ts";
import { createAddressSweep } from "../background/sweeps/address-sweep.ts";
import { createHousekeepingSweep } from "../background/sweeps/housekeeping-sweep.ts";
import { createOverdueSweep } from "../background/sweeps/overdue-sweep.ts";
import { createExpirySweep, createRequestSweep, type Sweep } from "../background/sweeps/request-sweeps.ts";
import type { Application } from "./application.ts";

/** Creates the sweeps for what becomes due by time alone, in the order in which they run. */
export function createSweeps(app: Application, log: Logger): readonly Sweep[] {
  const { store, services, relay, context, connectors, webhooks, auditFile } = app;
  return [
    createExpirySweep(store, services.grants, context.runtime),
    createRequestSweep(store, services.grants, context.runtime),
    createOverdueSweep(store, services.targets, context.runtime, (late) =>
      log.warn(late, "take-back overdue"),
    ),
    createHousekeepingSweep(services, relay, context.runtime),
    createAddressSweep(() => recheckAddresses(context, connectors), log),
    webhooks.sweep,
    ...(auditFile === undefined ? [] : [auditFile.sweep]),
  ];
}
