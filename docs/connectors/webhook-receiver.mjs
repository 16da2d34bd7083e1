// A receiver for connectors of kind webhook, to begin your own with. Needs Node 20 and nothing else:
//
//   JIT_WEBHOOK_SECRET=whsec_… JIT_WEBHOOK_FILE=users.json PORT=8080 node webhook-receiver.mjs
//
// It keeps users in a file, for something else to read: by name, the SHA-256 of the password, rights and end. Put your
// own system in place of `load` and `save`. It listens on 127.0.0.1; put TLS in front of it.

import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";

const secret = process.env.JIT_WEBHOOK_SECRET ?? "";
const file = process.env.JIT_WEBHOOK_FILE ?? "users.json";
const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
const toleranceSeconds = 300;
const bodyBytesMax = 256 * 1_024;
if (key.length < 16) throw new Error("JIT_WEBHOOK_SECRET must be whsec_ and at least 16 bytes in base64.");

/** Each is told what to do and makes sure that it is so: the same call may come twice, and late. */
const deeds = {
  "grant.provision": ({ object, ...grant }) => {
    const users = load();
    if (isForeign(users[object], grant)) return 409;
    save({ ...users, [object]: { password: null, ...users[object], ...grant } });
    return {};
  },
  // Every call makes a new password, and the old one is dead: only its answer is ever shown.
  "grant.issue": ({ object, ...grant }) => {
    const users = load();
    if (users[object] === undefined) return 404;
    if (isForeign(users[object], grant)) return 409;
    const password = randomBytes(24).toString("base64url");
    save({ ...users, [object]: { ...users[object], ...grant, password: sha256(password) } });
    return { where: "the place these users are for", username: object, secret: password };
  },
  // What is not there any more is a success. End its sessions too, if your system has any.
  "grant.revoke": ({ object, ...grant }) => {
    const { [object]: found, ...others } = load();
    if (found === undefined) return {};
    if (isForeign(found, grant)) return 409;
    save(others);
    return {};
  },
  // Ask your system, not a list of what you were told: this is how something left behind is found.
  "grant.list": (asking) => ({
    now: new Date().toISOString(),
    objects: Object.entries(load())
      .filter(([, user]) => !isForeign(user, asking))
      .map(([object, { grantId, notAfter }]) => ({ object, grantId, notAfter })),
  }),
};

/** Two installations, or two connectors of one, may use the same receiver. */
function isForeign(user, { instance, connector }) {
  return user !== undefined && (user.instance !== instance || user.connector !== connector);
}

function load() {
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {};
}

function save(users) {
  writeFileSync(`${file}.new`, JSON.stringify(users), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

/** Standard Webhooks: an HMAC of id, time and the very bytes of the body, and a time that is close to now. */
function isSigned(headers, body) {
  const {
    "webhook-id": id = "",
    "webhook-timestamp": time = "",
    "webhook-signature": signatures = "",
  } = headers;
  if (!(Math.abs(Date.now() / 1_000 - Number(time)) <= toleranceSeconds)) return false;
  const expected = createHmac("sha256", key).update(`${id}.${time}.${body}`).digest();
  return signatures.split(" ").some((one) => {
    const given = Buffer.from(one.replace(/^v1,/, ""), "base64");
    return one.startsWith("v1,") && given.length === expected.length && timingSafeEqual(given, expected);
  });
}

function sha256(text) {
  return createHash("sha256").update(text).digest("hex");
}

async function readBody(request) {
  const parts = [];
  let bytes = 0;
  for await (const part of request) {
    bytes += part.length;
    if (bytes > bodyBytesMax) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}

function answerTo(method, headers, body) {
  if (method !== "POST") return 405;
  if (body === undefined) return 413;
  if (!isSigned(headers, body)) return 401;
  const { type, data } = JSON.parse(body);
  return Object.hasOwn(deeds, type) ? deeds[type](data) : 404;
}

createServer(async (request, response) => {
  try {
    const answer = answerTo(request.method, request.headers, await readBody(request));
    response.writeHead(typeof answer === "number" ? answer : 200, { "content-type": "application/json" });
    response.end(typeof answer === "number" ? "" : JSON.stringify(answer));
  } catch {
    response.writeHead(500).end();
  }
}).listen(Number(process.env.PORT ?? 8080), "127.0.0.1");
