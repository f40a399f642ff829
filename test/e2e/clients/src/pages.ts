import assert from "node:assert/strict";
import type { PagePartsFragment } from "./generated.js";

/** A Relay connection, as far as paging needs it. */
export interface Connection<N> {
  totalCount: number;
  edges: { cursor: string; node: N }[];
  pageInfo: PagePartsFragment;
}

/** A page as the Relay cursor specification asks for it. */
export type PageArguments = { first?: number; after?: string | null; last?: number; before?: string | null };

/**
 * Every node of a list, page by page from either end, in the list's own order. Checks of each page
 * what the Relay cursor specification promises.
 */
export async function walk<N>(
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
    assert.ok(nodes.length < connection.totalCount || !more, "what is promised must be there");
    cursor = forward ? pageInfo.endCursor : pageInfo.startCursor;
  }
  return nodes;
}
