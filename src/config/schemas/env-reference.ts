import { parsedText } from "./parsed-text.ts";

/** The name of the variable in `env:NAME`. Secrets are written in the file only as such references. */
export function environmentName(text: string): string | undefined {
  return /^env:([A-Za-z_][A-Za-z0-9_]{0,99})$/.exec(text)?.[1];
}

/** A secret as a reference, which resolve-connectors.ts and resolve-webhooks.ts resolve. */
export const secret = parsedText(
  (text) => (environmentName(text) === undefined ? undefined : text),
  "must be env:NAME; a secret is never written into this file",
  { description: "env:NAME takes it from the environment.", examples: ["env:SIEM_SECRET"] },
);

/** The address of a webhook. A reference is resolved later. */
export const webAddress = parsedText(
  (text) => (/^https:\/\/\S{1,2000}$/.test(text) || environmentName(text) !== undefined ? text : undefined),
  "must begin with https:// or be env:NAME",
  { description: "https://… or env:NAME.", examples: ["https://siem.company.com/jit"] },
);
