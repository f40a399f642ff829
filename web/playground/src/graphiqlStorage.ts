/**
 * Makes GraphiQL's copy of the open tab agree with its list of tabs. Both are written half a second after a change; if
 * a reload, or another browser tab, leaves them different, GraphiQL adds a tab.
 */
export function alignStoredTabs() {
  try {
    const { tabs, activeTabIndex } = JSON.parse(localStorage.getItem("graphiql:tabState") ?? "");
    const { query, variables } = tabs[activeTabIndex];
    localStorage.setItem("graphiql:query", query ?? "");
    localStorage.setItem("graphiql:variables", variables ?? "");
  } catch {
    // The first visit, or a storage that GraphiQL discards.
  }
}
