import type { Logger } from "pino";
import type { Settings } from "../config/environment.ts";

const turnOn = {
  slack: "SLACK_BOT_TOKEN, and SLACK_SIGNING_SECRET or SLACK_APP_TOKEN",
  teams: "not in this version",
  email: "SMTP_URL and EMAIL_FROM",
} as const;

/** What is on, what is off, and what would turn it on. */
export function tellSurfaces(settings: Settings, log: Logger): void {
  log.info({ surface: "api", state: "on", docs: "/docs" }, "surface");
  for (const surface of ["slack", "teams", "email"] as const) {
    const isOn = settings[surface] !== undefined && surface !== "teams";
    log.info({ surface, state: isOn ? "on" : "off", ...(!isOn && { turnOn: turnOn[surface] }) }, "surface");
  }
}
