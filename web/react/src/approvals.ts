import { toErrandError, type Errand, type ErrandError } from "@errand/client";
import { approvalsQuery, conversationSubscription, decisions } from "./documents.js";
import { Store } from "./store.js";
import type { Approval, Approvals } from "./types.js";

/** Events that follow each other quickly cause one query. */
const reloadAfter = 300;

/** The state of the list of open approvals. It is loaded again when a conversation has changed. */
export class ApprovalStore extends Store<Approvals> {
  #approvals: readonly Approval[] = [];
  /** Calls that are being decided: they are not shown. */
  readonly #decided = new Set<string>();
  #error: ErrandError | null = null;
  #loaded = false;
  #reload: ReturnType<typeof setTimeout> | undefined;
  #unsubscribe: (() => void) | undefined;

  constructor(private readonly errand: Errand) {
    super();
  }

  protected start(): void {
    // Subscribed first: an approval that is added meanwhile causes another query.
    this.#unsubscribe = this.errand.subscribe(conversationSubscription, { after: null }, {
      next: () => (this.#reload ??= setTimeout(() => void this.#refresh(), reloadAfter)),
      reset: () => void this.#refresh(),
      error: (error) => this.#fail(error),
    });
    void this.#refresh();
  }

  protected stop(): void {
    this.#unsubscribe?.();
    clearTimeout(this.#reload);
    this.#reload = undefined;
  }

  readonly #refresh = async (): Promise<void> => {
    clearTimeout(this.#reload);
    this.#reload = undefined;
    await this.persist(async () => {
      const { viewer } = await this.errand.query<{ viewer: { pendingApprovals: Approval[] } }>(approvalsQuery);
      this.#approvals = viewer.pendingApprovals;
      this.#loaded = true;
      this.#error = null;
    }, (error) => this.#fail(error));
    this.changed();
  };

  #fail(error: ErrandError): void {
    this.#error = error;
    this.changed();
  }

  /** Repeating a decision has no further effect. */
  readonly #decide = (field: keyof typeof decisions) => async (ids: readonly string[]): Promise<boolean> => {
    this.#error = null;
    for (const id of ids) this.#decided.add(id);
    this.changed();
    try {
      await this.errand.mutate(decisions[field], { ids }, { retry: true });
      this.#approvals = this.#approvals.filter((a) => !ids.includes(a.id));
      return true;
    } catch (thrown) {
      this.#error = toErrandError(thrown);
      return false;
    } finally {
      for (const id of ids) this.#decided.delete(id);
      this.changed();
    }
  };

  readonly #approve = this.#decide("approveToolCalls");
  readonly #reject = this.#decide("rejectToolCalls");

  protected render(): Approvals {
    return {
      approvals: this.#approvals.filter((a) => !this.#decided.has(a.id)),
      status: this.#loaded ? "ready" : this.#error ? "error" : "loading",
      error: this.#error,
      approve: this.#approve,
      reject: this.#reject,
      refresh: this.#refresh,
    };
  }
}
