import type { Logger } from "pino";
import type { Settings } from "../config/environment.ts";

const turnOn = {
  slack: "SLACK_BOT_TOKEN, and SLACK_SIGNING_SECRET or SLACK_APP_TOKEN",
  teams: "MICROSOFT_APP_ID, MICROSOFT_APP_PASSWORD and MICROSOFT_APP_TENANT_ID",
  email: "SMTP_URL and EMAIL_FROM",
} as const;

/** Logs which surfaces are on, and for the others which variables turn them on. */
export function logSurfaces(settings: Settings, log: Logger): void {
  log.info({ surface: "api", state: "on", docs: "/docs" }, "surface");
  for (const surface of ["slack", "teams", "email"] as const) {
    const isOn = settings[surface] !== undefined;
    log.info({ surface, state: isOn ? "on" : "off", ...(!isOn && { turnOn: turnOn[surface] }) }, "surface");
  }
}
