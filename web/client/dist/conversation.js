export const emptyConversation = { messages: [], cursor: null, gap: false };
export const isFinished = (status) => status !== "PENDING" && status !== "STREAMING";
export function reduceConversation(state, event) {
    const id = "message" in event ? event.message.id : event.messageId;
    const index = state.messages.findIndex((m) => m.id === id);
    const message = applied(state.messages[index], event);
    if (!message)
        return { ...state, gap: true };
    return {
        messages: message === state.messages[index] ? state.messages : withMessage(state.messages, index, message),
        cursor: state.gap ? state.cursor : event.cursor,
        gap: state.gap,
    };
}
export function mergeMessages(state, messages) {
    const merged = new Map(state.messages.map((m) => [m.id, m]));
    for (const m of messages) {
        const old = merged.get(m.id);
        merged.set(m.id, old ? newer(old, m) : m);
    }
    return { ...state, messages: [...merged.values()].sort((a, b) => a.position - b.position) };
}
function applied(old, event) {
    switch (event.__typename) {
        case "MessageAdded":
            return old ? newer(old, event.message) : event.message;
        case "MessageFinished":
            return event.message;
        case "MessageDelta":
            return old && withText(old, event.offset, event.text);
        case "ToolCallChanged":
            return old && withCall(old, event.toolCall);
        default:
            return old;
    }
}
function withMessage(messages, index, message) {
    return index < 0 ? [...messages, message] : messages.map((m, i) => (i === index ? message : m));
}
function newer(old, copy) {
    if (isFinished(copy.status))
        return copy;
    return isFinished(old.status) || old.content.startsWith(copy.content) ? old : copy;
}
function withText(old, offset, text) {
    if (isFinished(old.status))
        return old;
    if (offset > old.content.length)
        return undefined;
    const content = old.content.startsWith(text, offset) ? old.content : old.content.slice(0, offset) + text;
    return content === old.content && old.status === "STREAMING" ? old : { ...old, content, status: "STREAMING" };
}
const callRank = { STARTED: 0, AWAITING_APPROVAL: 1, SUCCEEDED: 2, FAILED: 2 };
function withCall(old, call) {
    const calls = old.toolCalls ?? [];
    const index = calls.findIndex((c) => c.id === call.id);
    if (index >= 0 && callRank[call.status] < callRank[calls[index].status])
        return old;
    const status = old.status === "PENDING" ? "STREAMING" : old.status;
    return { ...old, status, toolCalls: withMessage(calls, index, call) };
}
