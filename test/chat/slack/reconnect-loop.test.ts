import { expect, test } from "vitest";
import { minuteMs } from "../../../src/core/values/time.ts";
import {
  createReconnectLoop,
  type ReconnectLoop,
} from "../../../src/chat/slack/connection/reconnect-loop.ts";

const silent = { info: () => {}, warn: () => {}, error: () => {} };

/** Records every wait; only waits and the test move the clock. */
function setUp(connect: () => Promise<void> = async () => {}) {
  const clock = { now: 0 };
  const waits: number[] = [];
  let connects = 0;
  const reconnectLoop = createReconnectLoop(
    async () => {
      connects++;
      await connect();
    },
    silent,
    {
      now: () => clock.now,
      random: () => 0.5,
      pause: async (ms) => {
        waits.push(ms);
        clock.now += ms;
      },
    },
  );
  return { clock, waits, reconnectLoop, connects: () => connects };
}

async function lost(reconnectLoop: ReconnectLoop): Promise<void> {
  reconnectLoop.start();
  await new Promise((resolve) => setImmediate(resolve));
}

test("a connection that drops at once is reopened after 1 s, 2 s, 4 s … up to a minute", async () => {
  const { reconnectLoop, waits, connects } = setUp();
  for (let count = 0; count < 9; count++) await lost(reconnectLoop);
  expect(waits).toEqual([0, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, minuteMs, minuteMs]);
  expect(connects()).toBe(9);
});

test("a connection that lasted is reopened at once", async () => {
  const { reconnectLoop, waits, clock } = setUp();
  await lost(reconnectLoop);
  await lost(reconnectLoop);
  clock.now += minuteMs;
  await lost(reconnectLoop);
  expect(waits).toEqual([0, 1_000, 0]);
});

test("the wait grows over failed and short connections alike", async () => {
  let failures = 2;
  const { reconnectLoop, waits } = setUp(async () => {
    if (failures-- > 0) throw new Error("no");
  });
  await lost(reconnectLoop);
  await lost(reconnectLoop);
  expect(waits).toEqual([0, 1_000, 2_000, 4_000]);
});

test("processes that were disconnected together do not reconnect together", () => {
  const waitsAt = async (random: number): Promise<number> => {
    let wait = 0;
    const reconnectLoop = createReconnectLoop(async () => {}, silent, {
      now: () => 0,
      random: () => random,
      pause: async (ms) => {
        wait = ms;
      },
    });
    await lost(reconnectLoop);
    await lost(reconnectLoop);
    return wait;
  };
  return expect(Promise.all([waitsAt(0), waitsAt(1)])).resolves.toEqual([750, 1_250]);
});
