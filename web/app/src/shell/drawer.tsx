import { createContext, useContext } from "react";
import { useTexts } from "../texts";
import { IconButton } from "../ui/Button";

const Context = createContext<{ open: boolean; setOpen(open: boolean): void }>({ open: false, setOpen: () => {} });

export const Drawer = Context;

/** Opens the conversations where they are not at the side; hidden by the stylesheet elsewhere. */
export function DrawerButton() {
  const { t } = useTexts();
  const { open, setOpen } = useContext(Context);
  return <IconButton className="drawer-button" label={t("nav.conversations")} icon="menu" aria-expanded={open} onClick={() => setOpen(!open)} />;
}
