//! Arguments of tools in TypeScript and JavaScript, fitted to the tool's schema before it runs. Those in Python are fitted
//! inside of their runtime, to their annotations; the rules and the words are the same here.

use mneme_domain::JsonObject;
use serde_json::{Number, Value};

/// Parameters that the server fills.
const RESERVED: [&str; 2] = ["agentState", "agent_state"];
/// Steps of one check. Whoever writes schema and arguments could make them multiply; what is left then is not checked.
const MAX_STEPS: usize = 200_000;

/// The arguments as the schema has them: what a model wrote as text, such as a number or a list, is turned into what it is,
/// where nothing is lost. `parameters` is the schema's object of parameters, `given` a JSON object as text.
///
/// # Errors
/// What is wrong with each argument, a line each, for the model.
pub fn fitted(parameters: &Value, given: &str) -> Result<String, String> {
    let text = if given.trim().is_empty() { "{}" } else { given };
    let unchanged = || Ok(given.to_owned());
    // What is no JSON object is told by the runtime.
    let Ok(Value::Object(arguments)) = serde_json::from_str(text) else { return unchanged() };
    let Some(properties) = parameters.get("properties").and_then(Value::as_object) else { return unchanged() };
    let required = required(parameters.get("required"));
    let mut check = Check { left: MAX_STEPS };
    if let Some(whole) = whole(properties, &required, &arguments)
        && let Ok(fitted) = check.fit(whole, &Value::Object(arguments.clone()), false)
    {
        return if check.left == 0 { unchanged() } else { Ok(fitted.to_string()) };
    }
    let mut fitted = JsonObject::new();
    let mut problems = Vec::new();
    for (name, schema) in properties {
        let is_needed = required.contains(&name.as_str()) && !RESERVED.contains(&name.as_str());
        match arguments.get(name) {
            None if is_needed => problems.push(format!("{name}: this argument is required")),
            None => {}
            Some(Value::Null) if !is_needed && check.refuses_null(schema) => {}
            Some(value) => match check.fit(schema, value, false) {
                Ok(value) => drop(fitted.insert(name.clone(), value)),
                Err(found) => problems.extend(found.iter().map(|problem| problem.told(name))),
            },
        }
    }
    let unknown = arguments.iter().filter(|(name, _)| !properties.contains_key(*name));
    if check.left == 0 {
        return unchanged();
    }
    if problems.is_empty() {
        // Whether the function takes them, the runtime knows.
        fitted.extend(unknown.map(|(name, value)| (name.clone(), value.clone())));
        return Ok(Value::Object(fitted).to_string());
    }
    problems.extend(unknown.map(|(name, _)| format!("{name}: there is no such argument")));
    Err(problems.join("\n"))
}

/// The schema of a tool's only parameter, when the arguments look like its value: the runtime passes them as a whole.
fn whole<'a>(properties: &'a JsonObject, required: &[&str], arguments: &JsonObject) -> Option<&'a Value> {
    let (name, schema) = properties.iter().next().filter(|_| properties.len() == 1)?;
    let is_missing = required.contains(&name.as_str()) && !arguments.contains_key(name);
    (is_missing && !arguments.is_empty()).then_some(schema)
}

fn required(names: Option<&Value>) -> Vec<&str> {
    names.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

/// What is wrong with a value, and where in the argument it is.
struct Problem {
    path: String,
    message: String,
}

impl Problem {
    fn told(&self, name: &str) -> String {
        format!("{name}{}: {}", self.path, self.message)
    }

    /// The same, seen from the value that contains this one.
    fn below(self, step: &str) -> Self {
        Self { path: format!("{step}{}", self.path), ..self }
    }
}

type Fit = Result<Value, Vec<Problem>>;

fn misfit(message: impl Into<String>) -> Fit {
    Err(vec![Problem { path: String::new(), message: message.into() }])
}

/// One way in which a value may fit.
#[derive(Clone, Copy)]
enum Arm<'a> {
    Schema(&'a Value),
    /// One of several types of a schema.
    Kind(&'a str, &'a JsonObject),
}

impl Arm<'_> {
    fn is_null(self) -> bool {
        match self {
            Self::Schema(schema) => schema.get("type").is_some_and(|kind| kind == "null"),
            Self::Kind(kind, _) => kind == "null",
        }
    }
}

/// A check under way.
struct Check {
    left: usize,
}

impl Check {
    fn spend(&mut self, steps: usize) -> bool {
        self.left = self.left.saturating_sub(steps);
        self.left > 0
    }

    fn refuses_null(&mut self, schema: &Value) -> bool {
        self.fit(schema, &Value::Null, true).is_err()
    }

    /// The value as the schema has it. With `exact`, only one that has the type already.
    fn fit(&mut self, schema: &Value, value: &Value, exact: bool) -> Fit {
        let Some(schema) = schema.as_object().filter(|_| self.spend(1)) else { return Ok(value.clone()) };
        if let Some(choices) = schema.get("enum").and_then(Value::as_array) {
            return self.choose(choices, value, exact);
        }
        if let Some(only) = schema.get("const") {
            return self.choose(std::slice::from_ref(only), value, exact);
        }
        if let Some(arms) = schema.get("anyOf").or_else(|| schema.get("oneOf")).and_then(Value::as_array) {
            let arms: Vec<Arm<'_>> = arms.iter().map(Arm::Schema).collect();
            return self.any(&arms, value, exact);
        }
        match schema.get("type") {
            Some(Value::String(kind)) => self.kind(kind, schema, value, exact),
            Some(Value::Array(kinds)) => {
                let kinds = kinds.iter().filter_map(Value::as_str);
                let arms: Vec<Arm<'_>> = kinds.map(|kind| Arm::Kind(kind, schema)).collect();
                self.any(&arms, value, exact)
            }
            _ => Ok(value.clone()),
        }
    }

    fn arm(&mut self, arm: Arm<'_>, value: &Value, exact: bool) -> Fit {
        match arm {
            Arm::Schema(schema) => self.fit(schema, value, exact),
            Arm::Kind(kind, schema) => self.kind(kind, schema, value, exact),
        }
    }

    fn any(&mut self, arms: &[Arm<'_>], value: &Value, exact: bool) -> Fit {
        if !self.spend(arms.len()) {
            return Ok(value.clone());
        }
        for arm in arms {
            if let Ok(fitted) = self.arm(*arm, value, true) {
                return Ok(fitted);
            }
        }
        let mut problems = Vec::new();
        for arm in arms.iter().filter(|_| !exact) {
            match self.arm(*arm, value, false) {
                Ok(fitted) => return Ok(fitted),
                Err(_) if arm.is_null() => {}
                Err(found) => problems.extend(found),
            }
        }
        if problems.len() > 1 && problems.iter().all(|problem| problem.path.is_empty()) {
            let mut messages: Vec<String> = Vec::new();
            for problem in problems {
                if !messages.contains(&problem.message) {
                    messages.push(problem.message);
                }
            }
            return misfit(messages.join(" or "));
        }
        Err(problems)
    }

    fn choose(&mut self, choices: &[Value], value: &Value, exact: bool) -> Fit {
        if !self.spend(choices.len()) {
            return Ok(value.clone());
        }
        if let Some(choice) = choices.iter().find(|choice| same(choice, value)) {
            return Ok(choice.clone());
        }
        let written = value.as_str().filter(|_| !exact);
        let number = written.and_then(number).map(Value::Number);
        if let Some(choice) = number.and_then(|number| choices.iter().find(|choice| same(choice, &number))) {
            return Ok(choice.clone());
        }
        let shown: Vec<String> = choices.iter().map(shown).collect();
        misfit(format!("must be one of {}", shown.join(", ")))
    }

    fn kind(&mut self, kind: &str, schema: &JsonObject, value: &Value, exact: bool) -> Fit {
        let fits = match (kind, value) {
            ("array", Value::Array(items)) => return self.items(schema, items, exact),
            ("object", Value::Object(fields)) => return self.fields(schema, fields, exact),
            // Models sometimes send an array or object as the text of one.
            ("array" | "object", Value::String(text)) if !exact => match self.unwrapped(text) {
                Some(Value::Array(items)) if kind == "array" => return self.items(schema, &items, exact),
                Some(Value::Object(fields)) if kind == "object" => return self.fields(schema, &fields, exact),
                _ => None,
            },
            ("string", Value::String(_))
            | ("number", Value::Number(_))
            | ("boolean", Value::Bool(_))
            | ("null", Value::Null) => Some(value.clone()),
            ("integer", Value::Number(number)) if is_whole(number) => Some(value.clone()),
            (_, value) if !exact => converted(kind, value),
            _ => None,
        };
        match (fits, kind) {
            (Some(value), _) => Ok(value),
            (None, "string") => misfit("must be a string"),
            (None, "number") => misfit("must be a number"),
            (None, "integer") => misfit("must be an integer"),
            (None, "boolean") => misfit("must be true or false"),
            (None, "array") => misfit("must be a list"),
            (None, "object") => misfit("must be an object"),
            (None, "null") => misfit("must be null"),
            // No type of JSON Schema: it says nothing.
            (None, _) => Ok(value.clone()),
        }
    }

    fn items(&mut self, schema: &JsonObject, items: &[Value], exact: bool) -> Fit {
        let bound = |key: &str| schema.get(key).and_then(Value::as_u64);
        if let (Some(least), Some(most)) = (bound("minItems"), bound("maxItems"))
            && least == most
            && u64::try_from(items.len()).is_ok_and(|length| length != least)
        {
            return misfit(format!("must have {least} items, not {}", items.len()));
        }
        let Some(wanted) = schema.get("items") else { return Ok(Value::Array(items.to_vec())) };
        let (mut fitted, mut problems) = (Vec::with_capacity(items.len()), Vec::new());
        for (index, item) in items.iter().enumerate() {
            match self.fit(wanted, item, exact) {
                Ok(item) => fitted.push(item),
                Err(found) => problems.extend(found.into_iter().map(|problem| problem.below(&format!("[{index}]")))),
            }
        }
        if problems.is_empty() { Ok(Value::Array(fitted)) } else { Err(problems) }
    }

    fn fields(&mut self, schema: &JsonObject, fields: &JsonObject, exact: bool) -> Fit {
        let properties = schema.get("properties").and_then(Value::as_object);
        let required = required(schema.get("required"));
        if !self.spend(required.len()) {
            return Ok(Value::Object(fields.clone()));
        }
        let (mut fitted, mut problems) = (JsonObject::new(), Vec::new());
        for name in required.iter().filter(|name| !fields.contains_key(**name)) {
            problems.push(Problem { path: format!(".{name}"), message: "is required".into() });
        }
        for (name, value) in fields {
            let known = properties.and_then(|properties| properties.get(name));
            let Some(wanted) = known.or_else(|| schema.get("additionalProperties")) else {
                fitted.insert(name.clone(), value.clone());
                continue;
            };
            let may_be_absent = known.is_some() && !required.contains(&name.as_str());
            if value.is_null() && may_be_absent && self.refuses_null(wanted) {
                continue;
            }
            match self.fit(wanted, value, exact) {
                Ok(value) => drop(fitted.insert(name.clone(), value)),
                Err(found) => problems.extend(found.into_iter().map(|problem| problem.below(&format!(".{name}")))),
            }
        }
        if problems.is_empty() { Ok(Value::Object(fitted)) } else { Err(problems) }
    }

    fn unwrapped(&mut self, text: &str) -> Option<Value> {
        let is_likely = text.trim_start().starts_with(['[', '{']) && self.spend(1 + text.len() / 16);
        is_likely.then(|| serde_json::from_str(text).ok())?
    }
}

/// A value of another type as the one that is wanted, where nothing is lost.
fn converted(kind: &str, value: &Value) -> Option<Value> {
    match (kind, value) {
        ("string", Value::Number(number)) => Some(number.to_string().into()),
        ("number", Value::String(text)) => number(text).map(Value::Number),
        ("integer", Value::String(text)) => number(text).filter(is_whole).map(Value::Number),
        ("boolean", Value::String(text)) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "1" | "t" | "y" => Some(true.into()),
            "false" | "no" | "off" | "0" | "f" | "n" => Some(false.into()),
            _ => None,
        },
        ("boolean", Value::Number(number)) => match number.as_u64() {
            Some(0) => Some(false.into()),
            Some(1) => Some(true.into()),
            _ => None,
        },
        _ => None,
    }
}

fn number(text: &str) -> Option<Number> {
    text.trim().parse().ok()
}

fn is_whole(number: &Number) -> bool {
    number.is_i64() || number.is_u64() || number.as_f64().is_some_and(|number| number.fract() == 0.0)
}

/// Whether two values are the same to JavaScript, which does not tell 1 from 1.0.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one == other || one.as_f64() == other.as_f64(),
        _ => one == other,
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => format!("'{text}'"),
        other => other.to_string(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use serde_json::json;

    use super::*;

    fn parameters() -> Value {
        let item = json!({
            "type": "object", "required": ["price"],
            "properties": { "price": { "type": "number" }, "note": { "type": "string" } },
        });
        json!({
            "type": "object", "required": ["city", "items"],
            "properties": {
                "city": { "type": "string" },
                "items": { "type": "array", "items": item },
                "times": { "type": "integer" },
                "mode": { "type": "string", "enum": ["fast", "slow"] },
                "either": { "anyOf": [{ "type": "number" }, { "type": "boolean" }, { "type": "null" }] },
                "pair": { "type": "array", "items": {}, "minItems": 2, "maxItems": 2 },
            },
        })
    }

    fn fit(given: Value) -> Result<Value, String> {
        fitted(&parameters(), &given.to_string()).map(|text| serde_json::from_str(&text).unwrap())
    }

    #[test]
    fn what_is_written_as_text_becomes_what_it_is() {
        let given = json!({
            "city": 5, "items": "[{\"price\": \"2.5\", \"note\": null}]", "times": "3", "mode": null, "either": "yes",
            "pair": [1, null], "more": 1,
        });
        let expected = json!({
            "city": "5", "items": [{ "price": 2.5 }], "times": 3, "either": true, "pair": [1, null], "more": 1,
        });
        assert_eq!(fit(given), Ok(expected));
    }

    #[test]
    fn each_argument_that_does_not_fit_is_named() {
        let given = json!({
            "items": [{ "price": 1 }, { "price": "much" }, {}], "times": 1.5, "mode": "lazy", "either": [], "pair": [1],
            "citty": "Rome",
        });
        let expected = "city: this argument is required\nitems[1].price: must be a number\nitems[2].price: is required\n\
                        times: must be an integer\nmode: must be one of 'fast', 'slow'\n\
                        either: must be a number or must be true or false\npair: must have 2 items, not 1\n\
                        citty: there is no such argument";
        assert_eq!(fit(given), Err(expected.to_owned()));
    }

    #[test]
    fn one_parameter_may_be_given_without_its_name() {
        let options = json!({ "type": "object", "properties": { "a": { "type": "number" } }, "required": ["a"] });
        let parameters = json!({ "properties": { "options": options }, "required": ["options"] });
        assert_eq!(fitted(&parameters, "{\"a\": \"1\"}"), Ok("{\"a\":1}".to_owned()));
        assert_eq!(fitted(&parameters, " "), Err("options: this argument is required".to_owned()));
    }

    #[test]
    fn what_no_schema_says_is_left_as_it_is() {
        for (parameters, given) in [
            (json!({}), "{\"a\":1}"),
            (json!({ "properties": { "a": { "type": "tensor" } } }), "{\"a\":1}"),
            (json!({ "properties": { "a": true }, "required": "a" }), "{\"a\":null}"),
            (parameters(), "no JSON"),
            (parameters(), "[1]"),
        ] {
            assert_eq!(fitted(&parameters, given).as_deref(), Ok(given), "{parameters}");
        }
    }

    #[test]
    fn schemas_that_multiply_are_given_up() {
        let arms: Vec<Value> = (0..2_000).map(|n| json!({ "type": "object", "required": [n.to_string()] })).collect();
        let parameters = json!({ "properties": { "a": { "type": "array", "items": { "anyOf": arms } } } });
        let given = json!({ "a": vec![json!({}); 2_000] }).to_string();
        assert_eq!(fitted(&parameters, &given), Ok(given));
    }
}
