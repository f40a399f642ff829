import { resumableText } from "./document.js";
export function resume(client) {
    const subscribe = (payload, sink) => {
        const stream = resumableText(payload.query);
        if (!stream)
            return client.subscribe(payload, sink);
        const variables = { ...payload.variables };
        return client.subscribe({ ...payload, variables }, {
            next: (result) => {
                variables[stream.variable] = stream.cursor(result.data) ?? variables[stream.variable];
                sink.next(result);
            },
            error: (error) => sink.error(error),
            complete: () => sink.complete(),
        });
    };
    return { ...client, subscribe };
}
