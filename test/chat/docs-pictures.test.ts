import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { cardPictures } from "../../docs/images/card-pictures.ts";

const folder = resolve(import.meta.dirname, "../../docs/images");
const pictures = cardPictures();

test("the pictures show the current cards; npm run pictures redraws them", () => {
  const drawn = readdirSync(folder).filter((name) => name.endsWith(".svg"));
  expect(drawn.toSorted()).toEqual([...pictures.keys()].toSorted());
  for (const [name, svg] of pictures)
    expect({ name, svg }).toEqual({ name, svg: readFileSync(join(folder, name), "utf8") });
});

test("the pictures are small and have a text alternative", () => {
  for (const svg of pictures.values()) {
    expect(svg.length).toBeLessThan(8_000);
    expect(svg).toMatch(/<title id="t">The [^<]+<\/title>\n<desc id="d">[^<]+<\/desc>/);
  }
  expect(pictures.get("slack-approval.svg")).toContain("Approve. Deny. Approve for less…. Details</desc>");
});
