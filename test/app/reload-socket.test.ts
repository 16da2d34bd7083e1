import { statSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import {
  openReloadSocket,
  reloadSocketOf,
  requestReload,
  type ReloadResult,
  type ReloadSocket,
} from "../../src/app/process/reload-socket.ts";
import { leavesNothingBehind, temporaryFolder } from "../support/leftover-processes.ts";

leavesNothingBehind();

const taken: ReloadResult = {
  ok: true,
  file: "jit.yaml",
  identities: 2,
  policies: 1,
  changed: 1,
  warnings: ["ä"],
};
const open: ReloadSocket[] = [];
afterEach(async () => {
  for (const socket of open.splice(0)) await socket.close();
});

async function opened(path: string, reload: () => Promise<ReloadResult>): Promise<ReloadSocket> {
  const socket = await openReloadSocket(path, reload);
  open.push(socket);
  return socket;
}

test("every client gets the complete result; the socket is private and removed when it is closed", async () => {
  const path = reloadSocketOf(join(temporaryFolder(), "jit.db"));
  const refused: ReloadResult = { ok: false, problems: ["x".repeat(200_000)] };
  const results = [taken, refused];
  const socket = await opened(path, async () => results.shift() ?? taken);
  expect((statSync(path).mode & 0o777).toString(8)).toBe("600");
  expect(await requestReload(path)).toEqual(taken);
  expect(await requestReload(path)).toEqual(refused);
  await socket.close();
  await expect(requestReload(path)).rejects.toMatchObject({ code: "ENOENT" });
});

test("a socket left by a killed process is replaced", async () => {
  const path = join(temporaryFolder(), "reload.sock");
  writeFileSync(path, "");
  await expect(requestReload(path)).rejects.toMatchObject({ code: "ECONNREFUSED" });
  await opened(path, async () => taken);
  expect(await requestReload(path)).toEqual(taken);
});

test("a client that disconnects stops neither the reload nor the close", async () => {
  const path = join(temporaryFolder(), "reload.sock");
  const { promise, resolve } = Promise.withResolvers<ReloadResult>();
  const asked: number[] = [];
  const socket = await opened(path, async () => {
    asked.push(1);
    return promise;
  });
  const impatient = createConnection(path);
  const silent = createConnection(path);
  silent.on("error", () => undefined);
  while (asked.length < 2) await new Promise((done) => setImmediate(done));
  impatient.destroy();
  await socket.close();
  resolve(taken);
  silent.destroy();
  expect(asked).toHaveLength(2);
});

test("a path that is too long for a socket is a clear error, on both sides", async () => {
  const path = join(temporaryFolder(), "x".repeat(120), "reload.sock");
  await expect(openReloadSocket(path, async () => taken)).rejects.toThrow("too long for a socket");
  await expect(requestReload(path)).rejects.toThrow("too long for a socket");
});
