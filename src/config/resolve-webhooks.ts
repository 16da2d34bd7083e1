import type { Webhook } from "../core/audit/webhook-subscription.ts";
import { environmentName } from "./schemas/env-reference.ts";
import { isLoopback } from "./loopback.ts";

type Environment = Readonly<Record<string, string | undefined>>;

const urlLengthMax = 2_000;
/** The bounds that Standard Webhooks sets for a secret. A shorter one could be guessed. */
const secretBytesMin = 24;
const secretBytesMax = 64;

const secretRule = `its value must be whsec_ and the base64 of ${secretBytesMin} to ${secretBytesMax} random bytes`;

export const webhookUrlRule =
  "must begin with https:// (http:// only on this machine) and hold no user or password";

/** Whether audit records may be sent to this URL: encrypted, or to this machine only. */
export function isWebhookUrl(text: string): boolean {
  if (text.length > urlLengthMax || /\s/.test(text) || !URL.canParse(text)) return false;
  const { protocol, hostname, username, password } = new URL(text);
  if (hostname === "" || username !== "" || password !== "") return false;
  return protocol === "https:" || (protocol === "http:" && isLoopback(hostname));
}

/** Problems with the values of `env:` references. They never quote a value. */
export function webhookProblems(
  webhooks: readonly Webhook[],
  environment: Environment,
): { readonly path: readonly string[]; readonly message: string }[] {
  return webhooks.flatMap((webhook, index) => {
    const at = (field: string): readonly string[] => ["webhooks", String(index), field];
    const [url, secret] = [valueOf(webhook.url, environment), valueOf(webhook.secret, environment)];
    const messages = [
      { path: at("url"), message: url === "" ? undefined : urlProblem(url, webhook.allowPrivate) },
      { path: at("secret"), message: secret === "" || isSecret(secret) ? undefined : secretRule },
    ];
    return messages.flatMap(({ path, message }) => (message === undefined ? [] : [{ path, message }]));
  });
}

function urlProblem(url: string, allowPrivate: boolean): string | undefined {
  if (!isWebhookUrl(url)) return `its value ${webhookUrlRule}`;
  return /^http:/i.test(url) && !allowPrivate
    ? "names this machine, which requires allowPrivate: true"
    : undefined;
}

/** Resolves the `env:` references of webhooks in a file without problems. */
export function webhooksOf(webhooks: readonly Webhook[], environment: Environment): readonly Webhook[] {
  return webhooks.map((webhook) => ({
    ...webhook,
    url: valueOf(webhook.url, environment),
    secret: valueOf(webhook.secret, environment),
  }));
}

/** The value of a text or reference. Empty when the variable is not set, which is reported elsewhere. */
function valueOf(text: string, environment: Environment): string {
  const variable = environmentName(text);
  return variable === undefined ? text : (environment[variable] ?? "");
}

function isSecret(text: string): boolean {
  const base64 = text.replace(/^whsec_/, "");
  const bytes = Buffer.from(base64, "base64");
  const isExact = bytes.toString("base64").replace(/=+$/, "") === base64.replace(/={0,2}$/, "");
  return isExact && bytes.length >= secretBytesMin && bytes.length <= secretBytesMax;
}
