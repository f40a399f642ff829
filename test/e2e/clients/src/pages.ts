import assert from "node:assert/strict";
import type { PagePartsFragment } from "./generated.js";

/** The fields of a Relay connection that paging uses. */
export interface Connection<N> {
  totalCount: number;
  edges: { cursor: string; node: N }[];
  pageInfo: PagePartsFragment;
}

/** The page arguments of the Relay cursor specification. */
export type PageArguments = { first?: number; after?: string | null; last?: number; before?: string | null };

/**
 * Fetches every node of a list, page by page from either end, and returns them in the list's order. Checks each
 * page against the Relay cursor specification.
 */
export async function fetchAll<N>(
  direction: "forward" | "backward",
  size: number,
  fetchPage: (page: PageArguments) => Promise<Connection<N>>,
): Promise<N[]> {
  const forward = direction === "forward";
  const nodes: N[] = [];
  for (let cursor: string | null = null, more = true; more; ) {
    const connection: Connection<N> = await fetchPage(
      forward ? { first: size, after: cursor } : { last: size, before: cursor },
    );
    const { edges, pageInfo } = connection;
    assert.equal(pageInfo.startCursor, edges.at(0)?.cursor ?? null);
    assert.equal(pageInfo.endCursor, edges.at(-1)?.cursor ?? null);
    const page = edges.map((edge) => edge.node);
    if (forward) nodes.push(...page);
    else nodes.unshift(...page);
    more = forward ? pageInfo.hasNextPage : pageInfo.hasPreviousPage;
    assert.ok(edges.length === size || !more, "a page is full when more follow");
    assert.ok(nodes.length < connection.totalCount || !more, "hasNextPage must not exceed totalCount");
    cursor = forward ? pageInfo.endCursor : pageInfo.startCursor;
  }
  return nodes;
}
