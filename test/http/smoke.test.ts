import { expect, test } from "vitest";
import { writeFileSync } from "node:fs";
import { openHouse, jit, api } from "./support/http-house.ts";
test("smoke", async () => {
  const house = await openHouse();
  const a = await house.call("GET", "/openapi.json");
  writeFileSync("/tmp/openapi.json", JSON.stringify(a.body, null, 1));
  const b = await house.call("GET", "/nope");
  console.log(b.headers["content-type"], b.text, b.headers["content-length"]);
  await house.close();
});
