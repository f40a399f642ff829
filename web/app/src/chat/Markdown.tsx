import { Lexer, type Token, type Tokens } from "marked";
import { Fragment, memo, useState, type ReactNode } from "react";
import { useTexts, type TextKey } from "../texts";
import { IconButton } from "../ui/Button";
import "./markdown.css";

/**
 * Text in Markdown, as React elements. HTML in it is shown as text, images as links, and only links to the web and to mail
 * addresses are followed: the text is a model's.
 */
export const Markdown = memo(function Markdown({ text }: { text: string }) {
  return <div className="markdown" dir="auto">{lex(text).map((token, i) => <Block key={i} raw={token.raw} token={token} />)}</div>;
});

/** A text with more of these within one block is shown as it is: finding their pairs takes time that grows with the cube. */
const MOST_DELIMITERS = 200;

interface InlineQueue {
  inlineQueue: { src: string; tokens: Token[] }[];
}

const ITEM = /^(\d{1,9}[.)]|[-*+]) /;

/**
 * Separates lists from the lines around them. In Markdown, only a numbered list that begins with 1 may follow a line of
 * text directly, and a line after a list belongs to its last item; but lists of tasks begin with any number.
 */
function separated(text: string): string {
  let fence = "";
  let previous = "";
  const lines: string[] = [];
  for (const line of text.split("\n")) {
    const mark = /^ {0,3}(```|~~~)/.exec(line)?.[1];
    const isCode = fence !== "";
    if (mark && (!fence || fence === mark)) fence = fence ? "" : mark;
    const begins = /^\d{1,9}[.)] /.test(line) && /^\S.*[:：]\s*$/.test(previous);
    const ends = ITEM.test(previous) && /^\S/.test(line) && !ITEM.test(line);
    if (!isCode && (begins || ends)) lines.push("");
    lines.push(line);
    previous = line;
  }
  return lines.join("\n");
}

/** The number that an item has in the text: tasks keep theirs, in whatever order they are listed. */
const numberOf = (item: Tokens.ListItem): number | undefined => {
  const number = /^\s*(\d{1,9})[.)]/.exec(item.raw)?.[1];
  return number === undefined ? undefined : Number(number);
};

/** Parses Markdown, in time that a text cannot drive up. */
function lex(text: string): Token[] {
  const lexer = new Lexer({ gfm: true, breaks: true });
  const tokens = lexer.blockTokens(separated(text.replace(/\r\n?/g, "\n")));
  for (const { src, tokens: inner } of (lexer as unknown as InlineQueue).inlineQueue) {
    const isPlain = (src.match(/[[*_~]/g)?.length ?? 0) > MOST_DELIMITERS;
    if (isPlain) inner.push({ type: "text", raw: src, text: src });
    else lexer.inlineTokens(src, inner);
  }
  return tokens;
}

/** A block is rendered again only if its source has changed: while a text grows, its last one. */
const Block = memo(
  function Block({ token }: { token: Token; raw: string }) {
    return block(token);
  },
  (before, after) => before.raw === after.raw,
);

function block(token: Token): ReactNode {
  switch (token.type) {
    case "space":
    case "def":
      return null;
    case "hr":
      return <hr />;
    case "heading": {
      // The view has the heading of the first level.
      const Heading = `h${Math.min(6, (token as Tokens.Heading).depth + 1)}` as "h2";
      return <Heading dir="auto">{inline(token.tokens)}</Heading>;
    }
    case "code":
      return <Code text={(token as Tokens.Code).text} language={(token as Tokens.Code).lang} />;
    case "blockquote":
      return <blockquote dir="auto">{blocks(token.tokens)}</blockquote>;
    case "list":
      return list(token as Tokens.List);
    case "table":
      return table(token as Tokens.Table);
    case "paragraph":
      return <p dir="auto">{inline(token.tokens)}</p>;
    case "text":
      return inline((token as Tokens.Text).tokens ?? [token]);
    default:
      return <p dir="auto">{"raw" in token ? token.raw : null}</p>; // html
  }
}

const blocks = (tokens: Token[] | undefined): ReactNode => tokens?.map((token, i) => <Fragment key={i}>{block(token)}</Fragment>);

function list({ ordered, start, items }: Tokens.List): ReactNode {
  const rows = items.map((item, i) => (
    <li key={i} dir="auto" value={ordered ? numberOf(item) : undefined} className={item.task ? "task-item" : undefined}>
      {item.task && <input type="checkbox" checked={item.checked ?? false} disabled aria-label={item.text} />}
      {blocks(item.tokens)}
    </li>
  ));
  return ordered ? <ol start={Number(start) || 1}>{rows}</ol> : <ul>{rows}</ul>;
}

function table({ header, rows }: Tokens.Table): ReactNode {
  return (
    <div className="table-scroll" tabIndex={0}>
      <table>
        <thead><tr>{header.map((cell, i) => <th key={i} dir="auto">{inline(cell.tokens)}</th>)}</tr></thead>
        <tbody>{rows.map((row, i) => <tr key={i}>{row.map((cell, j) => <td key={j} dir="auto">{inline(cell.tokens)}</td>)}</tr>)}</tbody>
      </table>
    </div>
  );
}

const inline = (tokens: Token[] | undefined): ReactNode => tokens?.map((token, i) => <Fragment key={i}>{span(token)}</Fragment>);

function span(token: Token): ReactNode {
  switch (token.type) {
    case "strong":
      return <strong>{inline(token.tokens)}</strong>;
    case "em":
      return <em>{inline(token.tokens)}</em>;
    case "del":
      return <del>{inline(token.tokens)}</del>;
    case "codespan":
      return <code>{(token as Tokens.Codespan).text}</code>;
    case "br":
      return <br />;
    case "link":
      return <Link href={(token as Tokens.Link).href}>{inline(token.tokens)}</Link>;
    case "image":
      return <Link href={(token as Tokens.Image).href}>{(token as Tokens.Image).text || (token as Tokens.Image).href}</Link>;
    case "escape":
      return (token as Tokens.Escape).text;
    case "text": {
      const { tokens, text } = token as Tokens.Text;
      return tokens ? inline(tokens) : decoded(text);
    }
    default:
      return token.raw; // html
  }
}

const entities: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'", nbsp: "\u00a0" };

/** Replaces the entities that texts contain in practice. */
const decoded = (text: string) => text.replace(/&(amp|lt|gt|quot|#39|nbsp);/g, (_, name: string) => entities[name]!);

/** Returns the address of a link if it may be followed; null otherwise. */
export function safeHref(href: string): string | null {
  try {
    const url = new URL(href);
    return ["http:", "https:", "mailto:"].includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

function Link({ href, children }: { href: string; children: ReactNode }) {
  const safe = safeHref(href);
  return safe ? <a href={safe} target="_blank" rel="noopener noreferrer nofollow">{children}</a> : <>{children}</>;
}

function Code({ text, language }: { text: string; language: string | undefined }) {
  return (
    <figure className="code">
      <figcaption>
        <span>{language}</span>
        <CopyButton text={text} label="chat.copyCode" />
      </figcaption>
      <pre dir="ltr" tabIndex={0}><code>{text}</code></pre>
    </figure>
  );
}

/** A button that copies a text, and shows for a moment that it has. */
export function CopyButton({ text, label }: { text: string; label: TextKey }) {
  const { t } = useTexts();
  const [copied, setCopied] = useState(false);
  const copy = () => {
    // Without a secure context there is no clipboard.
    void navigator.clipboard?.writeText(text).then(() => {
      setCopied(true);
      setTimeout(() => setCopied(false), 1_500);
    }, () => {});
  };
  return <IconButton small label={copied ? t("action.copied") : t(label)} icon={copied ? "check" : "copy"} onClick={copy} />;
}
