import { useApprovals } from "@errand/react";
import type { Approvals } from "@errand/react";
import { createContext, useContext, type ReactNode } from "react";

const Context = createContext<Approvals | null>(null);

/** Follows the open approvals once for all views. */
export function ApprovalsProvider({ children }: { children: ReactNode }) {
  return <Context value={useApprovals()}>{children}</Context>;
}

/** The open approvals of all conversations. */
export function useOpenApprovals(): Approvals {
  const approvals = useContext(Context);
  if (!approvals) throw new Error("ApprovalsProvider is missing");
  return approvals;
}

/** Number of the open approvals. */
export const useApprovalCount = (): number => useOpenApprovals().approvals.length;
