import { z } from "zod";
import { commandProblems } from "../../core/values/redis-commands.ts";
import { secret, webAddress } from "./env-reference.ts";
import { parsedText } from "./parsed-text.ts";
import { listOf, name } from "./values.ts";

const resourcesMax = 1_000;
const rightsMax = 100;
const sourceAddressesMax = 100;
const postgresNameBytesMax = 63;

const action = z.string().regex(/^[a-z][a-z0-9_.-]{0,31}$/);
const resources = texts(
  /^[A-Za-z0-9._:/@-]{1,128}$/,
  "must be the resource of a scope",
  resourcesMax,
).describe("Compared exactly with the resource of a scope.");

/** The fields of every kind of connector. */
function kindOf<Kind extends string, Action extends z.ZodType>(kind: Kind, given: Action) {
  return {
    name,
    kind: z.literal(kind),
    resources,
    actions: z
      .record(action, given)
      .refine((actions) => Object.keys(actions).length > 0, "must name an action")
      .describe("The rights at the target, by the action of the scope."),
  };
}

function text(pattern: RegExp, message: string) {
  return z.string().regex(pattern, message);
}

function texts(pattern: RegExp, message: string, max = rightsMax) {
  return listOf(text(pattern, message), { min: 1, max }, (one) => one);
}

const address = text(
  /^(\[[0-9A-Fa-f:]+\]|[A-Za-z0-9._-]{1,253})(:\d{1,5})?$/,
  "must be host or host:port",
).describe("Shown to people instead of the host and port in the url.");

const roleName = parsedText(
  (given) =>
    given !== "" && !given.includes("\0") && Buffer.byteLength(given) <= postgresNameBytesMax
      ? given
      : undefined,
  "must be a role's name of at most 63 bytes",
  { description: "A role's name, as it is: capitals count.", examples: ["orders_read"] },
);

const postgres = z.strictObject({
  ...kindOf(
    "postgres",
    z.strictObject({ roles: listOf(roleName, { min: 1, max: rightsMax }, (one) => one) }),
  ),
  url: secret.describe("env:NAME of postgres://broker:password@host:port/database."),
  address: z.exactOptional(address),
  leftoversOwner: roleName
    .prefault("jit_leftovers")
    .describe(
      "Receives what a role of ours owned at its end. It must have no rights, because it may own untrusted code.",
    ),
});

const path = text(/^\/[^\0]{1,1000}$/, "must be an absolute path");
const principal = /^[^\s,"#\0]{1,100}$/u;
const oneLine = text(/^[^\r\n\0]{1,1000}$/, "must be one line");
const range = z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()], "must be an IP address or range");

const ssh = z.strictObject({
  ...kindOf(
    "ssh",
    z.strictObject({ principals: texts(principal, "must be a principal: no spaces, commas, quotes or #") }),
  ),
  caKeyFile: path.describe("The CA's private ed25519 key, mode 0600."),
  krlFile: path.describe("The revocation list, written by us only; our ledger is beside it."),
  hosts: texts(/^[A-Za-z0-9.*?:_-]{1,253}$/, "must be a host name or pattern").describe("Shown to people."),
  user: z.exactOptional(text(/^[a-z_][a-z0-9_.-]{0,31}$/i, "must be the name of an account")),
  forceCommand: z.exactOptional(oneLine),
  sourceAddress: z.exactOptional(listOf(range, { min: 1, max: sourceAddressesMax }, (one) => one)),
  hook: z.exactOptional(path).describe("An executable, run after each take-back to update the hosts."),
});

/** No spaces or brackets: in Redis ACL rules a space begins another rule, and a bracket ends them. */
const pattern = /^[^\s()]{1,199}$/u;
const command = /^[+-]@?[a-z][a-z0-9|._-]{0,60}$/;

const commands = texts(command, "must be a rule such as +@read, +get or -@slow").check((context) => {
  // Malformed rules are already reported by the pattern.
  if (!context.value.every((rule) => command.test(rule))) return;
  for (const { index, message } of commandProblems(context.value)) {
    context.issues.push({ code: "custom", path: [index], input: context.value[index], message });
  }
});

function patterns() {
  const list = listOf(
    text(pattern, "must be a pattern without spaces and brackets"),
    { min: 0, max: rightsMax },
    (one) => one,
  );
  return list.default([]);
}

const redis = z.strictObject({
  ...kindOf("redis", z.strictObject({ keys: patterns(), channels: patterns(), commands })),
  url: secret.describe("env:NAME of redis://broker:password@host:port, or rediss://."),
  address: z.exactOptional(address),
  aclSave: z.boolean().default(false).describe("ACL SAVE after each change; the server needs an aclfile."),
});

const webhook = z.strictObject({
  ...kindOf(
    "webhook",
    z.strictObject({
      rights: listOf(oneLine, { min: 0, max: rightsMax }, (one) => one)
        .default([])
        .describe("Passed on unchanged."),
    }),
  ),
  url: webAddress,
  secret: secret.describe("env:NAME of whsec_ and at least 24 bytes in base64."),
  allowPrivate: z
    .boolean()
    .default(false)
    .describe("Whether the receiver may have a private address and use plain HTTP."),
});

/** A system where access is provisioned and taken back. Its secrets are still references. */
export const connector = z.discriminatedUnion("kind", [postgres, ssh, redis, webhook]);

/** A connector as read from the file, with defaults. */
export type WrittenConnector = z.output<typeof connector>;
