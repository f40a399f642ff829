/** Formats dates and times in a locale and, if given, a time zone. */
export class DateFormat {
  constructor(
    private readonly locale: string,
    private readonly timeZone?: string,
  ) {}

  #format(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
    return formatter(this.locale, { ...options, ...(this.timeZone && { timeZone: this.timeZone }) });
  }

  /** Such as "14:05". */
  time(instant: string | Date): string {
    return this.#format({ hour: "numeric", minute: "2-digit" }).format(new Date(instant));
  }

  /** The time of day in the time zone, `HH:MM`, as fields for times have it. */
  clock(instant: string | Date): string {
    const options: Intl.DateTimeFormatOptions = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
    return formatter("en-GB", { ...options, ...(this.timeZone && { timeZone: this.timeZone }) }).format(new Date(instant));
  }

  /** Such as "Fri, Nov 27, 14:05"; with the year if it is not the present one. */
  dateTime(instant: string | Date): string {
    const date = new Date(instant);
    const year = date.getFullYear() === new Date().getFullYear() ? {} : { year: "numeric" as const };
    return this.#format({ weekday: "short", day: "numeric", month: "short", hour: "numeric", minute: "2-digit", ...year }).format(date);
  }

  /** A calendar day, `YYYY-MM-DD`, such as "Fri, Nov 27"; with the year if it is not the present one. */
  day(day: string): string {
    const date = new Date(`${day}T00:00:00Z`);
    const year = date.getUTCFullYear() === new Date().getFullYear() ? {} : { year: "numeric" as const };
    return formatter(this.locale, { weekday: "short", day: "numeric", month: "short", timeZone: "UTC", ...year }).format(date);
  }

  /** The calendar day of an instant in the time zone, `YYYY-MM-DD`. */
  dayOf(instant: string | Date): string {
    const parts = formatter("en-CA", { year: "numeric", month: "2-digit", day: "2-digit", ...(this.timeZone && { timeZone: this.timeZone }) });
    return parts.format(new Date(instant));
  }
}

const formatters = new Map<string, Intl.DateTimeFormat>();

/** Creating a formatter is slow: they are kept. */
function formatter(locale: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = locale + JSON.stringify(options);
  let found = formatters.get(key);
  if (!found) formatters.set(key, (found = new Intl.DateTimeFormat(locale, options)));
  return found;
}
