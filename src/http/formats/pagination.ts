import { z } from "zod";
import type { PageQuery } from "../../service/ports/store.ts";
import { parsedText } from "../../config/schemas/parsed-text.ts";

export const pageSizeDefault = 50;
export const pageSizeMax = 200;

export const limit = parsedText(parseLimit, `must be a whole number from 1 to ${pageSizeMax}`, {
  description: `How many at most, 1 to ${pageSizeMax}; ${pageSizeDefault} when left out.`,
  pattern: "^[1-9][0-9]{0,2}$",
}).default(pageSizeDefault);

const cursor = parsedText(parseCursor, "must be the nextCursor of an earlier answer", {
  description: "`nextCursor` of the page before.",
});

/** `?limit=&cursor=` of every list, to be spread into its query schema. See docs/api.md#lists. */
export const paging = { limit, cursor: z.exactOptional(cursor) };

/** The response schema of one page of a list. */
export function pageOf<Item extends z.ZodType>(item: Item) {
  return z.object({
    data: z.array(item).readonly(),
    nextCursor: z.string().nullable().describe("Null on the last page."),
  });
}

export function pageQuery(query: { readonly limit: number; readonly cursor?: number }): PageQuery {
  return { limit: query.limit, ...(query.cursor !== undefined && { before: query.cursor }) };
}

/** Cursors are opaque, so that their meaning can change. */
export function formatCursor(next: number | null): string | null {
  return next === null ? null : Buffer.from(`p${next}`).toString("base64url");
}

function parseCursor(text: string): number | undefined {
  const plain = Buffer.from(text, "base64url").toString("latin1");
  if (!/^p\d{1,15}$/.test(plain)) return undefined;
  const next = Number(plain.slice(1));
  return formatCursor(next) === text ? next : undefined;
}

function parseLimit(text: string): number | undefined {
  return /^[1-9]\d{0,2}$/.test(text) && Number(text) <= pageSizeMax ? Number(text) : undefined;
}
