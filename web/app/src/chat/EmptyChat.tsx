import { useTexts } from "../texts";
import { Logo } from "../ui/Logo";

const examples = ["1", "2", "3", "4"] as const;

/** A conversation without messages: what to say, as examples to tap. */
export function EmptyChat({ send }: { send(text: string): void }) {
  const { t } = useTexts();
  return (
    <div className="empty-chat">
      <div className="empty-chat-inner">
        <Logo size={48} />
        <h2>{t("chat.empty.title")}</h2>
        <p>{t("chat.empty.text")}</p>
        <ul className="examples">
          {examples.map((n) => (
            <li key={n}>
              <button type="button" onClick={() => send(t(`chat.example.${n}`))}>
                <strong>{t(`chat.example.${n}`)}</strong>
                <span>{t(`chat.example.${n}.note`)}</span>
              </button>
            </li>
          ))}
        </ul>
      </div>
    </div>
  );
}
