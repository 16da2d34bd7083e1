import Database from "better-sqlite3";
import fastify from "fastify";

/** The raw limit of a start: Fastify with one route and an open database, listening. */
const client = new Database("bare.db");
client.pragma("journal_mode = WAL");
const app = fastify();
app.get("/", async () => client.prepare("SELECT 1").get());
const address = await app.listen({ host: "127.0.0.1", port: 0 });
process.stdout.write(`${JSON.stringify({ address, msg: "listening" })}\n`);
process.once("SIGTERM", () => {
  client.close();
  void app.close();
});
