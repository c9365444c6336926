// `Intl` for English, which is what tools write in: numbers of every kind, dates and times in UTC. What it cannot do it refuses,
// because a wrong time or separator is worse than an error.

const SYMBOLS = {
  USD: '$', EUR: '€', GBP: '£', JPY: '¥', INR: '₹', CNY: 'CN¥', KRW: '₩', BRL: 'R$', CAD: 'CA$', AUD: 'A$', MXN: 'MX$', NZD: 'NZ$',
  HKD: 'HK$', ILS: '₪', VND: '₫', TWD: 'NT$', PHP: '₱', XAF: 'FCFA', XOF: 'F\u202fCFA',
};
const WITHOUT_CENTS = ['JPY', 'KRW', 'VND', 'XAF', 'XOF', 'CLP'];
const SIZES = [[1e12, 'T', ' trillion'], [1e9, 'B', ' billion'], [1e6, 'M', ' million'], [1e3, 'K', ' thousand']];

/** Other Englishes write numbers as the American one does, but not dates. */
const ALSO = ['en-AU', 'en-CA', 'en-GB', 'en-IE', 'en-NZ'];

function english(locales, also = []) {
  const wanted = [locales ?? []].flat().map(String);
  if (!wanted.length || wanted.some((name) => ['en', 'en-US', ...also].includes(name))) return;
  throw new RangeError(`there is no localisation for ${wanted.join(', ')} in this runtime, only American English (en-US)`);
}

/** Whole part and fraction of a number as it is written, without an exponent. */
function written(value) {
  const [, whole, fraction = '', power = '0'] = /^(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(value));
  const point = whole.length + Number(power);
  const all = (whole + fraction).padEnd(point, '0').padStart(whole.length + fraction.length - Math.min(point, 0), '0');
  return [all.slice(0, Math.max(point, 0)) || '0', all.slice(Math.max(point, 0))];
}

/** The same, rounded as it is written and not as it is stored. */
function digits(value, least, most) {
  const [whole, fraction] = written(value);
  let scaled = BigInt(whole + fraction.padEnd(most, '0').slice(0, most));
  if (Number(fraction[most] ?? 0) >= 5) scaled += 1n;
  const all = scaled.toString().padStart(most + 1, '0');
  const rest = most ? all.slice(-most) : '';
  return [most ? all.slice(0, -most) : all, rest.replace(/0+$/, '').padEnd(least, '0')];
}

const grouped = (whole) => whole.replace(/\B(?=(\d{3})+$)/g, ',');

export class NumberFormat {
  #options;

  constructor(locales, options = {}) {
    english(locales, options.style === 'currency' ? [] : ALSO);
    const { style = 'decimal', currency, minimumSignificantDigits, unit, notation = 'standard' } = options;
    if (style === 'unit' || minimumSignificantDigits !== undefined || !['standard', 'compact'].includes(notation)) {
      throw new RangeError(`numbers cannot be written with ${unit ? `the unit ${unit}` : 'these options'} in this runtime`);
    }
    if (style === 'currency' && !currency) throw new TypeError('Currency code is required with currency style.');
    const cents = WITHOUT_CENTS.includes(currency) ? 0 : 2;
    const usual = style === 'currency' ? [cents, cents] : style === 'percent' || notation === 'compact' ? [0, 0] : [0, 3];
    const least = options.minimumFractionDigits ?? Math.min(usual[0], options.maximumFractionDigits ?? usual[0]);
    const most = options.maximumFractionDigits ?? Math.max(usual[1], least);
    if (least > most || least < 0 || most > 100) throw new RangeError('maximumFractionDigits value is out of range.');
    this.#options = { ...options, style, currency: currency?.toUpperCase(), notation, least, most };
  }

  format(value) {
    const number = typeof value === 'bigint' ? value : Number(value);
    const { style, currency, signDisplay, least } = this.#options;
    const isNegative = number < 0 || Object.is(number, -0);
    const isSigned = signDisplay === 'always' || signDisplay === 'exceptZero' && number > 0;
    const sign = isNegative && signDisplay !== 'never' ? '-' : !isNegative && isSigned ? '+' : '';
    const size = isNegative ? -number : number;
    if (Number.isNaN(size)) return 'NaN';
    const text = this.#size(style === 'percent' ? Number((Number(size) * 100).toPrecision(15)) : size, least);
    if (style === 'percent') return `${sign}${text}%`;
    if (style !== 'currency') return sign + text;
    if (this.#options.currencyDisplay === 'code') return `${sign}${currency}\u00a0${text}`;
    return `${sign}${SYMBOLS[currency] ?? `${currency}\u00a0`}${text}`;
  }

  #size(size, least) {
    if (size === Infinity) return '∞';
    const { notation, compactDisplay, most, maximumSignificantDigits, useGrouping = true, minimumIntegerDigits = 1 } = this.#options;
    if (notation === 'compact') {
      let at = SIZES.findIndex(([unit]) => Number(size) >= unit);
      let [unit, short, long] = SIZES[at] ?? [1, '', ''];
      const rounded = (by) => (Number(size) / by < 100 ? Number((Number(size) / by).toPrecision(2)) : Math.round(Number(size) / by));
      if (at > 0 && rounded(unit) >= 1000) [unit, short, long] = SIZES[(at -= 1)];
      const [whole, fraction] = written(rounded(unit));
      return grouped(whole) + (fraction && `.${fraction}`) + (compactDisplay === 'long' ? long : short);
    }
    const places = maximumSignificantDigits && maximumSignificantDigits - 1 - Math.floor(Math.log10(Number(size) || 1));
    const [whole, fraction] = places === undefined ? digits(size, least, most)
      : places >= 0 ? digits(size, 0, places) : written(Number(size).toPrecision(maximumSignificantDigits));
    const padded = whole.padStart(minimumIntegerDigits, '0');
    return (useGrouping ? grouped(padded) : padded) + (fraction && `.${fraction}`);
  }

  resolvedOptions() {
    const { least, most, ...options } = this.#options;
    return { locale: 'en-US', ...options, minimumFractionDigits: least, maximumFractionDigits: most };
  }
}

const MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'];
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const STYLES = {
  full: { weekday: 'long', year: 'numeric', month: 'long', day: 'numeric' },
  long: { year: 'numeric', month: 'long', day: 'numeric' },
  medium: { year: 'numeric', month: 'short', day: 'numeric' },
  short: { year: '2-digit', month: 'numeric', day: 'numeric' },
};
const TIMES = {
  full: { hour: 'numeric', minute: '2-digit', second: '2-digit', timeZoneName: 'long' },
  long: { hour: 'numeric', minute: '2-digit', second: '2-digit', timeZoneName: 'short' },
  medium: { hour: 'numeric', minute: '2-digit', second: '2-digit' },
  short: { hour: 'numeric', minute: '2-digit' },
};
const FIELDS = ['weekday', 'year', 'month', 'day', 'hour', 'minute', 'second', 'dayPeriod', 'fractionalSecondDigits'];
const DATE = ['year', 'month', 'day'];
const sized = (number, how) => String(number).padStart(how === '2-digit' ? 2 : 1, '0');
const named = (name, how) => (how === 'long' ? name : how === 'narrow' ? name[0] : name.slice(0, 3));

export class DateTimeFormat {
  #options;

  constructor(locales, options = {}, usual = ['year', 'month', 'day']) {
    english(locales);
    const { timeZone = 'UTC', dateStyle, timeStyle, era, calendar } = options;
    if (!/^(UTC|GMT|Etc\/(UTC|GMT))$/i.test(timeZone)) throw new RangeError(`there is no time zone ${timeZone} in this runtime, only UTC`);
    if (era || calendar && calendar !== 'gregory') throw new RangeError('dates cannot be written with these options in this runtime');
    const chosen = { ...options, ...STYLES[dateStyle], ...TIMES[timeStyle] };
    if (!FIELDS.some((name) => chosen[name] !== undefined)) {
      for (const name of usual) chosen[name] = name === 'minute' || name === 'second' ? '2-digit' : 'numeric';
    }
    this.#options = chosen;
  }

  format(value = Date.now()) {
    const date = new Date(value);
    if (Number.isNaN(date.getTime())) throw new RangeError('Invalid time value');
    const [day, time] = [this.#day(date), this.#time(date)];
    const { weekday, month, dateStyle } = this.#options;
    if (weekday && day && time && !DATE.some((name) => this.#options[name])) return `${day} ${time}`;
    const isSaid = dateStyle ? ['full', 'long'].includes(dateStyle) : month === 'long';
    return day && time ? `${day}${isSaid ? ' at ' : ', '}${time}` : day || time;
  }

  #day(date) {
    const { weekday, year, month, day } = this.#options;
    const dayOfWeek = weekday && named(DAYS[date.getUTCDay()], weekday);
    const of = {
      year: year && (year === '2-digit' ? sized(date.getUTCFullYear() % 100, year) : String(date.getUTCFullYear())),
      day: day && sized(date.getUTCDate(), day),
    };
    let text;
    if (['long', 'short', 'narrow'].includes(month)) {
      const spoken = [named(MONTHS[date.getUTCMonth()], month), of.day].filter(Boolean).join(' ');
      text = of.year ? `${spoken}${of.day ? ', ' : ' '}${of.year}` : spoken;
    } else {
      text = [month && sized(date.getUTCMonth() + 1, month), of.day, of.year].filter(Boolean).join('/');
      if (text === of.day && dayOfWeek) return `${of.day} ${dayOfWeek}`;
    }
    return [dayOfWeek, text].filter(Boolean).join(', ');
  }

  #time(date) {
    const { hour, minute, second, hour12, hourCycle, timeZoneName, fractionalSecondDigits: most } = this.#options;
    const isHalved = hour && (hour12 ?? !['h23', 'h24'].includes(hourCycle));
    const hours = isHalved ? date.getUTCHours() % 12 || 12 : date.getUTCHours() || (hour12 === false && !hourCycle ? 24 : 0);
    const parts = [
      hour && sized(hours, isHalved && hour !== '2-digit' ? 'numeric' : '2-digit'),
      minute && sized(date.getUTCMinutes(), hour || second ? '2-digit' : 'numeric'),
      second && sized(date.getUTCSeconds(), minute || second === '2-digit' && hour ? '2-digit' : 'numeric'),
    ].filter(Boolean);
    if (most && parts.length) parts.push(`${parts.pop()}.${String(date.getUTCMilliseconds()).padStart(3, '0').slice(0, most)}`);
    const zone = timeZoneName && (timeZoneName === 'long' ? 'Coordinated Universal Time' : 'UTC');
    return [parts.join(':'), isHalved && (date.getUTCHours() < 12 ? 'AM' : 'PM'), zone].filter(Boolean).join(' ');
  }

  resolvedOptions() {
    return { locale: 'en-US', calendar: 'gregory', numberingSystem: 'latn', ...this.#options, timeZone: 'UTC' };
  }
}

class ListFormat {
  #words;

  constructor(locales, { type = 'conjunction' } = {}) {
    english(locales);
    this.#words = type === 'disjunction' ? 'or' : type === 'unit' ? '' : 'and';
  }

  format(list) {
    const [parts, word] = [[...list], this.#words];
    if (!word || parts.length < 2) return parts.join(', ');
    if (parts.length === 2) return parts.join(` ${word} `);
    return `${parts.slice(0, -1).join(', ')}, ${word} ${parts.at(-1)}`;
  }
}

class PluralRules {
  #isOrdinal;

  constructor(locales, { type } = {}) {
    english(locales);
    this.#isOrdinal = type === 'ordinal';
  }

  select(number) {
    if (!this.#isOrdinal) return number === 1 ? 'one' : 'other';
    const [last, teen] = [number % 10, number % 100 - number % 10 === 10];
    return teen ? 'other' : { 1: 'one', 2: 'two', 3: 'few' }[last] ?? 'other';
  }
}

class RelativeTimeFormat {
  #isAuto;

  constructor(locales, { numeric } = {}) {
    english(locales);
    this.#isAuto = numeric === 'auto';
  }

  format(value, unit) {
    const one = String(unit).replace(/s$/, '');
    const near = { day: ['yesterday', 'today', 'tomorrow'] }[one]
      ?? [`last ${one}`, one === 'second' ? 'now' : `this ${one}`, `next ${one}`];
    const isNamed = this.#isAuto && (value === 0 || Math.abs(value) === 1 && !['hour', 'minute', 'second'].includes(one));
    if (isNamed) return near[value + 1];
    const size = Math.abs(value);
    const text = `${new NumberFormat().format(size)} ${one}${size === 1 ? '' : 's'}`;
    return value < 0 || Object.is(value, -0) ? `${text} ago` : `in ${text}`;
  }
}

class Collator {
  constructor(locales, { numeric = false, sensitivity } = {}) {
    english(locales, ALSO);
    const plain = (text) => (['base', 'accent'].includes(sensitivity) ? String(text).toLowerCase() : String(text));
    const parts = (text) => (numeric ? plain(text).split(/(\d+)/) : [plain(text)]);
    this.compare = (one, other) => {
      const [left, right] = [parts(one), parts(other)];
      for (let at = 0; at < Math.min(left.length, right.length); at += 1) {
        const order = at % 2 ? Number(left[at]) - Number(right[at]) : left[at].localeCompare(right[at]);
        if (order) return Math.sign(order);
      }
      return Math.sign(left.length - right.length);
    };
  }
}

export const Intl = {
  Collator, DateTimeFormat, ListFormat, NumberFormat, PluralRules, RelativeTimeFormat, getCanonicalLocales: (names) => [names].flat(),
};

/** Puts it where programs look for it. Formats can be made without `new`. */
export function install(world) {
  const callable = (Kind) => new Proxy(Kind, { apply: (_, __, given) => new Kind(...given) });
  const kinds = Object.entries(Intl).map(([name, one]) => [name, /^[A-Z]/.test(name) ? callable(one) : one]);
  const define = (target, name, value) => Object.defineProperty(target, name, { value, writable: true, configurable: true });
  define(world, 'Intl', Object.fromEntries(kinds));
  const numbers = function toLocaleString(locales, options) { return new NumberFormat(locales, options).format(this.valueOf()); };
  define(world.Number.prototype, 'toLocaleString', numbers);
  define(world.BigInt.prototype, 'toLocaleString', numbers);
  const [day, time] = [['year', 'month', 'day'], ['hour', 'minute', 'second']];
  for (const [name, usual, parts] of [
    ['toLocaleString', [...day, ...time], FIELDS], ['toLocaleDateString', day, FIELDS.slice(0, 4)],
    ['toLocaleTimeString', time, FIELDS.slice(4)],
  ]) {
    define(world.Date.prototype, name, function written(locales, options = {}) {
      if (Number.isNaN(this.getTime())) return 'Invalid Date';
      // A date is asked for, or a time: what belongs to the other is added to it.
      const has = options.dateStyle || options.timeStyle || parts.some((part) => options[part] !== undefined);
      const added = Object.fromEntries(usual.map((part) => [part, part === 'minute' || part === 'second' ? '2-digit' : 'numeric']));
      return new DateTimeFormat(locales, has ? options : { ...added, ...options }, usual).format(this);
    });
  }
}
