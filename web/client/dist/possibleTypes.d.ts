/** The types of each interface, for the caches of Apollo Client and urql. */
export declare const possibleTypes: {
    ConversationEvent: string[];
    MessageEvent: string[];
    Node: string[];
};
