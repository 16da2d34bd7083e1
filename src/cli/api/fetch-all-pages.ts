import type { z } from "zod";
import { pageOf, readAs } from "./api-schemas.ts";
import type { Api } from "./api-client.ts";

const pageSize = "200";

/** Reads all pages of a list. */
export async function fetchAllPages<Item extends z.ZodType>(
  api: Api,
  path: string,
  item: Item,
): Promise<readonly z.output<Item>[]> {
  const all: z.output<Item>[] = [];
  let cursor: string | undefined;
  do {
    const response = await api.get(path, { query: { limit: pageSize, cursor } });
    const { data, nextCursor } = readAs(pageOf(item), response);
    all.push(...data);
    cursor = typeof nextCursor === "string" ? nextCursor : undefined;
  } while (cursor !== undefined);
  return all;
}
