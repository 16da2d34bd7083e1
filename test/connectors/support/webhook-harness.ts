import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { createWebhookConnector } from "../../../src/connectors/webhook/webhook-connector.ts";
import type { WebhookSettings } from "../../../src/core/values/connector-settings.ts";
import { instant } from "../../../src/core/values/ids.ts";
import type { IssuedTarget } from "../../../src/service/ports/connector.ts";
import { keepTrackOf, killed, temporaryFolder } from "../../support/leftover-processes.ts";
import { until } from "../../support/program.ts";
import { freePort, isListening } from "../../proxies/support/ports.ts";
import type { TargetKind, ConnectorHarness, TargetSession } from "./connector-harness.ts";

export const webhookSecret = `whsec_${Buffer.from("a secret of at least 24 bytes").toString("base64")}`;

export const webhookSettings: WebhookSettings = {
  kind: "webhook",
  name: "orders-app",
  url: "http://127.0.0.1",
  secret: webhookSecret,
  allowPrivate: true,
  resources: ["prod:orders-db"],
  actions: { read: { rights: ["orders:read"] } },
};

export const portsOf = (instance = "ours") => ({ instance, now: () => instant(Date.now()) });

const receiver = resolve(import.meta.dirname, "../../../docs/connectors/webhook-receiver.mjs");

interface User {
  password: string | null;
  notAfter: string;
  rights: { rights: string[] };
}

/** Runs the shipped receiver as a process. */
async function openWebhookHarness(): Promise<ConnectorHarness> {
  const port = await freePort();
  const file = join(temporaryFolder(), "users.json");
  const child = spawn(process.execPath, [receiver], {
    env: { JIT_WEBHOOK_SECRET: webhookSecret, JIT_WEBHOOK_FILE: file, PORT: String(port) },
    stdio: "ignore",
  });
  keepTrackOf(child);
  await until(() => isListening(port));
  const settings = { ...webhookSettings, url: `http://127.0.0.1:${port}/jit` };
  const users = (): Record<string, User> => (existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {});
  const isAccepted = ({ username, secret }: IssuedTarget): boolean => {
    const user = users()[username];
    const hash = createHash("sha256")
      .update(secret ?? "")
      .digest("hex");
    return (
      user?.password === hash &&
      Date.parse(user.notAfter) > Date.now() &&
      user.rights.rights.includes("orders:read")
    );
  };
  return {
    connector: async ({ name = settings.name, instance } = {}) =>
      createWebhookConnector({ ...settings, name }, portsOf(instance)),
    at: (to) => createWebhookConnector({ ...settings, url: `http://127.0.0.1:${to}` }, portsOf()),
    unreachable: async () =>
      createWebhookConnector({ ...settings, url: `http://127.0.0.1:${await freePort()}` }, portsOf()),
    openSession: async (issued): Promise<TargetSession | undefined> =>
      isAccepted(issued) ? { reads: async () => isAccepted(issued), close: async () => {} } : undefined,
    makeForeign: async (object) =>
      writeFileSync(file, JSON.stringify({ ...users(), [object]: { connector: "theirs" } })),
    hasForeignObject: async (object) => users()[object] !== undefined,
    drop: async (object) => {
      const { [object]: _removed, ...others } = users();
      writeFileSync(file, JSON.stringify(others));
    },
    tampering: [],
    stop: () => killed(child),
  };
}

export function webhookKind(): TargetKind {
  return {
    name: "the webhook receiver of the docs",
    start: openWebhookHarness,
    hasForeign: true,
    endsSessions: true,
  };
}
