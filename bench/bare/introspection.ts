import Database from "better-sqlite3";
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage } from "node:http";

/**
 * The raw limit of an introspection: node:http, one hash, one prepared join over flat columns, one JSON response. It does
 * not authenticate, validate or log. The plus in the query keeps SQLite from planning the join each time, and the cache is
 * as large as ours. It reads `bare.db` in the working directory.
 */
interface Found {
  readonly scope: string;
  readonly sub: string;
  readonly username: string;
  readonly exp: number;
  readonly iat: number;
  readonly jti: string;
  readonly phase: string;
  readonly active: number;
}

const client = new Database("bare.db", { readonly: true });
client.pragma("cache_size = -65536");
const find = client.prepare<[string], Found>(
  `SELECT scope, sub, username, exp, iat, jti, phase, active FROM credentials
   JOIN grants ON grants.id = grant_id JOIN identities ON identities.id = sub WHERE hash = +?`,
);

function answerTo(body: string): string {
  const token = new URLSearchParams(body).get("token") ?? "";
  const found = find.get(createHash("sha256").update(token).digest("hex"));
  if (
    found === undefined ||
    found.phase !== "ACTIVE" ||
    found.active !== 1 ||
    found.exp < Date.now() / 1000
  ) {
    return '{"active":false}';
  }
  const { scope, sub, username, exp, iat, jti } = found;
  return JSON.stringify({ active: true, scope, sub, username, exp, iat, jti, break_glass: false });
}

const server = createServer((request: IncomingMessage, response) => {
  let body = "";
  request.setEncoding("utf8");
  request.on("data", (chunk: string) => {
    body += chunk;
  });
  request.on("end", () => {
    const answer = answerTo(body);
    response.writeHead(200, {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(answer),
    });
    response.end(answer);
  });
});
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  process.stdout.write(`{"address":"http://127.0.0.1:${port}","msg":"listening"}\n`);
});
process.once("SIGTERM", () => {
  server.close();
  server.closeAllConnections();
  client.close();
});
