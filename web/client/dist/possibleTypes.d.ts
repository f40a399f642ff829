/** The types of each interface, for the caches of Apollo Client and urql. */
export declare const possibleTypes: {
    MessageEvent: string[];
    Node: string[];
};
