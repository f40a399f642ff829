import type { ButtonHTMLAttributes, Ref } from "react";
import { Icon, type IconName } from "./Icon";

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  variant?: "primary" | "plain" | "quiet" | "danger";
  small?: boolean;
  icon?: IconName;
  ref?: Ref<HTMLButtonElement>;
}

/** A button with a text. */
export function Button({ variant = "plain", small, icon, className = "", children, type = "button", ...rest }: ButtonProps) {
  return (
    <button type={type} className={`button ${variant} ${small ? "small" : ""} ${className}`} {...rest}>
      {icon && <Icon name={icon} />}
      {children}
    </button>
  );
}

/** A button with an icon alone; its label is its name and its tooltip. */
export function IconButton({ label, icon, variant = "quiet", small, className = "", type = "button", ...rest }: ButtonProps & { label: string; icon: IconName }) {
  return (
    <button type={type} className={`button icon-only ${variant} ${small ? "small" : ""} ${className}`} aria-label={label} title={label} {...rest}>
      <Icon name={icon} />
    </button>
  );
}
