import { once } from "node:events";
import { request } from "node:http";
import { connect, type Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { autoBelow, noSweep, staff } from "../support/company-config.ts";
import { api, jit } from "../support/api-client.ts";
import { leavesNothingBehind } from "../support/leftover-processes.ts";
import { pause, startProgram, type Program } from "../support/program.ts";

leavesNothingBehind({ sideBySide: true });

const config = { identities: staff, policies: [autoBelow("auto:")] };

async function connected({ address }: Program, said: string): Promise<Socket> {
  const { hostname, port } = new URL(address);
  const socket = connect(Number(port), hostname);
  await once(socket, "connect");
  socket.write(said);
  return socket;
}

describe.concurrent("a stop", () => {
  test.for(["SIGTERM", "SIGINT"] as const)(
    "by %s is clean and does not wait for an idle connection",
    async (signal) => {
      const program = await startProgram({ config, env: noSweep });
      const idle = await connected(
        program,
        "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\n\r\n",
      );
      await once(idle, "data");
      await program.stop({ signal });
      expect(program.log.at(-1)?.msg).toBe("stopped");
      idle.destroy();
    },
  );

  test("sent to npm start reaches the service, and no process remains", async () => {
    const program = await startProgram({ config, env: noSweep, throughNpm: true });
    await program.stop();
    await expect(program.call("GET", "/healthz")).rejects.toThrow("fetch failed");
    const again = await startProgram({ folder: program.folder, env: noSweep });
    await again.stop();
  });

  test("does not wait for a request that never completes", async () => {
    const program = await startProgram({ config, env: noSweep });
    const slow = await connected(program, "GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ");
    let heard = "";
    slow.on("error", () => {}).on("data", (data) => (heard += data.toString()));
    await pause(50);
    await program.stop();
    // The stop closed this connection; the header timeout would have sent 408.
    expect(heard).toBe("");
    slow.destroy();
  });

  test("ends long polls at once", async () => {
    const program = await startProgram({ config, env: noSweep });
    const dev = await program.person("dev");
    const { id } = (await dev.ask({ scopes: ["read:auto:a"] })).body;
    const waiting = dev.call("GET", `${jit}/${id}?wait=30s`);
    await pause(100);
    await program.stop();
    expect((await waiting).body.status).toBe("ACTIVE");
  });

  test("completes requests in flight, and keeps what was committed", async () => {
    const program = await startProgram({ config, env: noSweep });
    const dev = await program.person("dev");
    const body = JSON.stringify({
      identityId: dev.id,
      reason: "in time",
      scopes: ["read:auto:a"],
      duration: "1h",
    });
    const asking = request(`${program.address}${jit}`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${dev.key}`,
        "content-type": "application/json",
        "content-length": Buffer.byteLength(body),
      },
    });
    asking.write(body.slice(0, 20));
    await pause(100);
    const stopping = program.stop();
    await pause(100);
    asking.end(body.slice(20));
    const [answer] = await once(asking, "response");
    let text = "";
    for await (const part of answer) text += part;
    expect(answer.statusCode).toBe(201);
    await stopping;

    const again = await startProgram({ folder: program.folder, env: noSweep });
    const { id } = JSON.parse(text);
    expect((await again.admin.read(id)).body.status).toBe("ACTIVE");
    expect((await again.admin.call("GET", `${api}/audit/verify`)).body.ok).toBe(true);
    await again.stop();
  });
});
