//! Python tools as people write them, and what models get to see of them.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use mneme_toolsource::{Given, Language, Signature, SourceError, dedented, derive, entry_point};
use serde_json::{Value, json};

fn read(source: &str) -> Result<Signature, SourceError> {
    derive(Language::Python, source, Given::default())
}

fn parameters(source: &str) -> Value {
    read(source).unwrap_or_else(|error| panic!("{error}\n{source}")).parameters
}

/// The schema of a parameter with this annotation; `before` stands above the function.
fn annotated(before: &str, annotation: &str) -> Value {
    let source =
        format!("{before}\ndef tool(it: {annotation}):\n    \"\"\"Do.\n\n    Args:\n        it: That.\n    \"\"\"\n");
    let mut schema = parameters(&source)["properties"]["it"].take();
    assert_eq!(schema["description"], "That.", "{annotation}");
    schema.as_object_mut().unwrap().remove("description");
    schema
}

fn refused(source: &str) -> String {
    read(source).expect_err(source).to_string()
}

#[test]
fn a_whole_tool() {
    let source = r#"
import json
from typing import List, Optional


def helper(x):
    return x


class Unrelated:
    pass


async def book_table(
    agent_state: "AgentState",
    restaurant: str,
    guests: int,
    *,
    tags: List[str] = [],
    note: Optional[str] = None,
):
    """
    Book a table.

    Fails when the restaurant is full.

    Args:
        restaurant (str): The name of the restaurant,
            as it stands in the guide.
        guests (int): How many come.
        tags (List[str], optional): Wishes: a window, a quiet corner.
        note (Optional[str]): Anything else.

    Returns:
        str: The number of the booking.
    """
    return json.dumps(helper(guests))
"#;
    let expected = json!({
        "name": "book_table",
        "description": "Book a table.\n\nFails when the restaurant is full.",
        "parameters": {
            "type": "object",
            "properties": {
                "restaurant": { "type": "string", "description": "The name of the restaurant,\nas it stands in the guide." },
                "guests": { "type": "integer", "description": "How many come." },
                "tags": { "type": "array", "items": { "type": "string" }, "description": "Wishes: a window, a quiet corner." },
                "note": { "type": "string", "description": "Anything else." },
            },
            "required": ["restaurant", "guests"],
        },
    });
    assert_eq!(Value::Object(read(source).unwrap().into_schema()), expected);
    assert_eq!(entry_point(Language::Python, source).unwrap(), "book_table");
}

#[test]
fn a_tool_without_parameters() {
    let source = "def roll():\n    '''Roll a die.'''\n    import random\n    return random.randint(1, 6)\n";
    let expected = Signature {
        name: "roll".into(),
        description: "Roll a die.".into(),
        parameters: json!({ "type": "object", "properties": {}, "required": [] }),
    };
    assert_eq!(read(source).unwrap(), expected);
}

#[test]
fn annotations_become_schemas() {
    let any = json!({});
    let string = json!({ "type": "string" });
    let typing = "from typing import *";
    for (annotation, expected) in [
        ("str", string.clone()),
        ("int", json!({ "type": "integer" })),
        ("float", json!({ "type": "number" })),
        ("bool", json!({ "type": "boolean" })),
        ("Any", any.clone()),
        ("'str'", string.clone()),
        ("conint(ge=1, lt=9)", json!({ "type": "integer", "minimum": 1, "exclusiveMaximum": 9 })),
        ("pydantic.constr(min_length=2)", json!({ "type": "string", "minLength": 2 })),
        ("conlist(str, max_length=3)", json!({ "type": "array", "items": string, "maxItems": 3 })),
        ("PositiveInt", json!({ "type": "integer", "exclusiveMinimum": 0 })),
        ("StrictStr", string.clone()),
        ("dict", json!({ "type": "object" })),
        ("Dict[str, Any]", json!({ "type": "object" })),
        ("dict[str, int]", json!({ "type": "object", "additionalProperties": { "type": "integer" } })),
        ("list", json!({ "type": "array", "items": any })),
        ("typing.List[List[str]]", json!({ "type": "array", "items": { "type": "array", "items": string } })),
        ("set[str]", json!({ "type": "array", "items": string, "uniqueItems": true })),
        ("datetime.datetime", json!({ "type": "string", "format": "date-time" })),
        ("date", json!({ "type": "string", "format": "date" })),
        ("datetime.time", json!({ "type": "string", "format": "time" })),
        ("dt.timedelta", json!({ "type": "string", "format": "duration" })),
        ("uuid.UUID", json!({ "type": "string", "format": "uuid" })),
        ("pathlib.Path", json!({ "type": "string", "format": "path" })),
        ("decimal.Decimal", json!({ "type": "number" })),
        ("bytes", string.clone()),
        ("list[date]", json!({ "type": "array", "items": { "type": "string", "format": "date" } })),
        (
            "Annotated[datetime, 'When.'] | None",
            json!({ "anyOf": [{ "type": "string", "format": "date-time" }, { "type": "null" }] }),
        ),
        (
            "tuple[int, date]",
            json!({
                "type": "array", "minItems": 2, "maxItems": 2,
                "items": { "anyOf": [{ "type": "integer" }, { "type": "string", "format": "date" }] },
            }),
        ),
        ("tuple[str, ...]", json!({ "type": "array", "items": string })),
        ("Tuple[str, str]", json!({ "type": "array", "items": string, "minItems": 2, "maxItems": 2 })),
        ("Union[str, int]", json!({ "anyOf": [string, { "type": "integer" }] })),
        ("str | int | str", json!({ "anyOf": [string, { "type": "integer" }] })),
        ("str | Any", any.clone()),
        ("Optional[str]", json!({ "anyOf": [string, { "type": "null" }] })),
        ("str | int | None", json!({ "anyOf": [string, { "type": "integer" }, { "type": "null" }] })),
        ("None", json!({ "type": "null" })),
        ("list[Optional[str]]", json!({ "type": "array", "items": { "anyOf": [string, { "type": "null" }] } })),
        ("Literal['a', 'b']", json!({ "type": "string", "enum": ["a", "b"] })),
        ("Literal[1, -2]", json!({ "type": "integer", "enum": [1, -2] })),
        ("Literal['a', 1, True]", json!({ "enum": ["a", 1, true] })),
        ("Annotated[int, Field(ge=1, lt=7)]", json!({ "type": "integer", "minimum": 1, "exclusiveMaximum": 7 })),
        ("Annotated[list[str], Field(min_length=2)]", json!({ "type": "array", "items": string, "minItems": 2 })),
    ] {
        assert_eq!(annotated(typing, annotation), expected, "{annotation}");
    }
}

#[test]
fn names_of_the_file_are_followed() {
    let string = json!({ "type": "string" });
    for (before, annotation, expected) in [
        ("from typing import Optional as Maybe", "Maybe[str]", json!({ "anyOf": [string, { "type": "null" }] })),
        ("import typing as t", "t.Literal['x']", json!({ "type": "string", "enum": ["x"] })),
        ("Mode = Literal['x', 'y']", "Mode", json!({ "type": "string", "enum": ["x", "y"] })),
        ("Mode: TypeAlias = str", "list[Mode]", json!({ "type": "array", "items": string })),
        ("type Ids = list[int]", "Ids", json!({ "type": "array", "items": { "type": "integer" } })),
        ("UserId = NewType('UserId', str)", "UserId", string.clone()),
        (
            "class C(str, Enum):\n    RED = 'red'\n    BLUE = 'blue'\n",
            "C",
            json!({ "type": "string", "enum": ["red", "blue"] }),
        ),
        ("class N(IntEnum):\n    A = auto()\n    B = auto()\n", "N", json!({ "type": "integer", "enum": [1, 2] })),
        ("class S(StrEnum):\n    ONE = auto()\n", "S", json!({ "type": "string", "enum": ["one"] })),
        (
            "class C(Enum):\n    RED = 'red'\n    BLUE = 'blue'\n    GREEN = 3\nMANY = 'many'\n",
            "Literal[C.RED, C.BLUE, MANY]",
            json!({ "type": "string", "enum": ["red", "blue", "many"] }),
        ),
        (
            "if TYPE_CHECKING:\n    Mode = Literal['x']\nelse:\n    Mode = str\n",
            "Mode",
            json!({ "type": "string", "enum": ["x"] }),
        ),
        (
            "try:\n    from typing import Literal as L\nexcept ImportError:\n    L = None\n",
            "L['x']",
            json!({ "type": "string", "enum": ["x"] }),
        ),
        ("Mode = str\nif __name__ == '__main__':\n    Mode = 1\n", "Mode", string.clone()),
        (
            "from collections import defaultdict",
            "defaultdict[str, deque[int]]",
            json!({ "type": "object", "additionalProperties": { "type": "array", "items": { "type": "integer" } } }),
        ),
    ] {
        assert_eq!(annotated(before, annotation), expected, "{before}");
    }
}

#[test]
fn models_become_objects() {
    let before = r#"
from datetime import datetime
from enum import Enum
from typing import List, Optional
from pydantic import BaseModel, Field

class Currency(Enum):
    EUR = "eur"
    USD = "usd"

class Base(BaseModel):
    model_config = {"extra": "forbid"}
    id: int = Field(..., gt=0, description="The number.")

class Item(Base):
    """A thing that is sold."""
    _secret: str = "x"
    name: str
    price: float = Field(description="What it costs.")
    currency: Currency = Currency.EUR
    tags: List[str] = Field(default_factory=list, max_length=3)
    note: Optional[str] = Field(None, description="Anything.")
    sold_at: datetime
    parent: Optional["Item"] = None

    def total(self) -> float:
        return self.price
"#;
    let item = json!({
        "type": "object",
        "description": "A thing that is sold.",
        "properties": {
            "id": { "type": "integer", "exclusiveMinimum": 0, "description": "The number." },
            "name": { "type": "string" },
            "price": { "type": "number", "description": "What it costs." },
            "currency": { "type": "string", "enum": ["eur", "usd"] },
            "tags": { "type": "array", "items": { "type": "string" }, "maxItems": 3 },
            "note": { "type": "string", "description": "Anything." },
            "sold_at": { "type": "string", "format": "date-time" },
            "parent": { "type": "object" },
        },
        "required": ["id", "name", "price", "sold_at"],
    });
    assert_eq!(annotated(before, "List[Item]"), json!({ "type": "array", "items": item }));
}

#[test]
fn types_of_pydantic_have_their_json() {
    for (annotation, expected) in [
        ("condecimal(gt=0)", json!({ "type": "number", "exclusiveMinimum": 0 })),
        (
            "conset(int, min_length=1)",
            json!({ "type": "array", "items": { "type": "integer" }, "uniqueItems": true, "minItems": 1 }),
        ),
        ("AwareDatetime", json!({ "type": "string", "format": "date-time" })),
        (
            "Optional[pydantic.FutureDate]",
            json!({ "anyOf": [{ "type": "string", "format": "date" }, { "type": "null" }] }),
        ),
        ("Json", json!({ "type": "string" })),
        ("Json[List[int]]", json!({ "type": "string" })),
        ("List[SkipValidation[int]]", json!({ "type": "array", "items": { "type": "integer" } })),
        ("JsonValue", json!({})),
        ("Counter[str]", json!({ "type": "object", "additionalProperties": { "type": "integer" } })),
        ("ByteSize", json!({ "anyOf": [{ "type": "integer", "minimum": 0 }, { "type": "string" }] })),
    ] {
        assert_eq!(annotated("", annotation), expected, "{annotation}");
    }
}

#[test]
fn models_of_one_value_are_that_value() {
    let texts = json!({ "type": "array", "items": { "type": "string" } });
    assert_eq!(annotated("class Tags(RootModel[List[str]]):\n    pass\n", "Tags"), texts);
    assert_eq!(annotated("class Tags(pydantic.RootModel):\n    root: List[str]\n", "Tags"), texts);
    let nested = "class Tree(RootModel[Dict[str, 'Tree']]):\n    pass\n";
    assert_eq!(annotated(nested, "Tree"), json!({ "type": "object" }), "from here on anything goes");
    let old = "T = TypeVar('T')\nclass Page(GenericModel, Generic[T]):\n    item: T\n";
    let page = json!({ "type": "object", "properties": { "item": { "type": "integer" } }, "required": ["item"] });
    assert_eq!(annotated(old, "Page[int]"), page);
}

#[test]
fn settings_make_other_names_of_fields() {
    let named = |before: &str| {
        let schema = annotated(before, "M");
        schema["properties"].as_object().unwrap().keys().cloned().collect::<Vec<_>>()
    };
    let fields = "    first_name: str\n    b2b_id: int = Field(1, alias='id')\n    plain: int = 1\n";
    for settings in [
        "    model_config = ConfigDict(alias_generator=to_camel)\n",
        "    model_config = {'alias_generator': alias_generators.to_camel, 'extra': 'forbid'}\n",
        "    model_config: ConfigDict = ConfigDict(alias_generator=AliasGenerator(validation_alias=to_camel))\n",
        "    class Config:\n        alias_generator = to_camel\n",
    ] {
        assert_eq!(
            named(&format!("class M(BaseModel):\n{settings}{fields}")),
            ["firstName", "id", "plain"],
            "{settings}"
        );
        let derived = format!("class Base(BaseModel):\n{settings}\nclass M(Base):\n{fields}");
        assert_eq!(named(&derived), ["firstName", "id", "plain"], "{settings}");
    }
    let pascal = "class M(BaseModel):\n    model_config = ConfigDict(alias_generator=to_pascal)\n    a_bc: int\n    d2e_3: int\n    _f: int\n";
    assert_eq!(named(pascal), ["ABc", "D2E3"]);
    let choices = "class M(BaseModel):\n    a: int = Field(validation_alias=AliasChoices('x', 'y'))\n    b: int = Field(alias='z', validation_alias=AliasPath('p', 'q'))\n";
    assert_eq!(named(choices), ["x", "z"]);
}

#[test]
fn type_parameters_mean_what_is_filled_in_or_what_they_are_bound_to() {
    let (integer, string) = (json!({ "type": "integer" }), json!({ "type": "string" }));
    let page = |item: &Value, more: Value| {
        let mut properties = json!({ "items": { "type": "array", "items": item } });
        properties.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let required: Vec<&String> = properties.as_object().unwrap().keys().collect();
        json!({ "type": "object", "properties": properties, "required": required })
    };
    let old = "T = TypeVar('T')\nclass Page(BaseModel, Generic[T]):\n    items: list[T]\nclass Users(Page[str]):\n    total: int\n";
    let new = "class Page[T: int](BaseModel):\n    items: list[T]\nclass Users(Page[str]):\n    total: int\n";
    let or_null = json!({ "anyOf": [integer, { "type": "null" }] });
    let or_list = json!({ "anyOf": [integer, { "type": "array", "items": {} }] });
    for (before, annotation, expected) in [
        (old, "Page[int]", page(&integer, json!({}))),
        (old, "Page", page(&json!({}), json!({}))),
        (old, "Users", page(&string, json!({ "total": integer }))),
        (old, "Page[Page[int]]", page(&page(&integer, json!({})), json!({}))),
        (new, "Page[str]", page(&string, json!({}))),
        (new, "Page", page(&integer, json!({}))),
        (new, "Users", page(&string, json!({ "total": integer }))),
        (
            "type Pair[A, B = str] = dict[A, B | None]\n",
            "Pair[int, int]",
            json!({ "type": "object", "additionalProperties": or_null }),
        ),
        ("type Tree[T] = T | list[Tree[T]]\n", "Tree[int]", or_list),
        ("T = TypeVar('T', bound=str)\n", "list[T]", json!({ "type": "array", "items": string })),
        ("T = TypeVar('T', int, str)\n", "T", json!({ "anyOf": [integer, string] })),
        ("T = TypeVar('T')\n", "T", json!({})),
    ] {
        assert_eq!(annotated(before, annotation), expected, "{before}{annotation}");
    }
    let function = "def pick[*V, T: ('int', str), U: Literal['a'] = 'a'](one: T, other: list[U]):\n    \"\"\"Pick.\n\n    \
                    Args:\n        one: x\n        other: y\n    \"\"\"\n";
    let expected = json!({
        "one": { "anyOf": [integer, string], "description": "x" },
        "other": { "type": "array", "items": { "type": "string", "enum": ["a"] }, "description": "y" },
    });
    assert_eq!(parameters(function)["properties"], expected);
    let mut wide = String::from("type W0[T] = tuple[dict[str, T], T, list[T]]\n");
    for level in 1..20 {
        wide += &format!("type W{level}[T] = W{}[tuple[dict[str, T], T, list[T]]]\n", level - 1);
    }
    let wide = format!("{wide}def f(a: W19[int]):\n    \"\"\"D.\n\n    Args:\n        a: x\n    \"\"\"\n");
    assert_eq!(read(&wide), Err(SourceError::SchemaTooLarge));
}

#[test]
fn dataclasses_and_typed_dictionaries_become_objects() {
    let dataclass = "@dataclass(frozen=True)\nclass P:\n    x: int\n    y: int = 0\n";
    let properties = json!({ "x": { "type": "integer" }, "y": { "type": "integer" } });
    let expected = json!({ "type": "object", "properties": properties, "required": ["x"] });
    assert_eq!(annotated(dataclass, "P"), expected);
    let dictionary = "class P(TypedDict, total=False):\n    x: Required[int]\n    y: int\n";
    assert_eq!(annotated(dictionary, "P"), expected);
}

#[test]
fn a_text_beside_the_type_counts_as_a_description() {
    let source = "def f(a: Annotated[str, 'The word.'], b: Annotated[int, Field(description='How often.')]):\n    \"\"\"Say.\"\"\"\n";
    let expected = json!({
        "a": { "type": "string", "description": "The word." },
        "b": { "type": "integer", "description": "How often." },
    });
    assert_eq!(parameters(source)["properties"], expected);
}

#[test]
fn texts_may_stand_elsewhere_than_at_the_field() {
    let before = r#"
UNIT = "In metres."

class Box(BaseModel):
    """A box.

    Attributes:
        width (int): How wide.
        depth: Not this one.
    """
    width: int
    height: int = Field(..., description="How high. " + UNIT)
    depth: Annotated[int, UNIT]
"#;
    let expected = json!({
        "type": "object",
        "properties": {
            "width": { "type": "integer", "description": "How wide." },
            "height": { "type": "integer", "description": "How high. In metres." },
            "depth": { "type": "integer", "description": "In metres." },
        },
        "required": ["width", "height", "depth"],
    });
    let mut list = annotated(before, "list[Box]");
    assert_eq!(list["items"]["description"].take(), "A box.");
    list["items"].as_object_mut().unwrap().remove("description");
    assert_eq!(list["items"], expected);
}

#[test]
fn a_source_may_be_indented_as_a_whole() {
    for blanks in ["    ", "\t", " \t "] {
        let source = format!(
            "\n{blanks}import os\n\n{blanks}def go(a: int):\n{blanks}    '''Goes.\n\n{blanks}    Args:\n{blanks}        a: x\n{blanks}    '''\n  "
        );
        assert_eq!(read(&source).unwrap().description, "Goes.", "{source:?}");
        assert_eq!(entry_point(Language::Python, &source).unwrap(), "go");
        assert!(dedented(&source).starts_with("\nimport os\n\ndef go"), "{source:?}");
    }
    let uneven = "    import os\ndef go():\n    'Goes.'\n";
    assert_eq!(dedented(uneven), uneven);
    assert!(refused(uneven).contains("line 1"));
}

#[test]
fn a_class_after_the_manner_of_base_tool_is_a_tool() {
    let source = r#"
from typing import Optional, Type
from crewai.tools import BaseTool as Base
from pydantic import BaseModel, Field

class SearchInput(BaseModel):
    """Input of the search."""
    query: str = Field(..., description="What to look for.")
    limit: int = Field(default=5, ge=1)

class Common(Base):
    description: str = Field(default="Searches the archive.")

    def _run(self, query: str, limit: int = 5) -> str:
        return query * limit

class Search(Common):
    name: str = "Search the archive"
    args_schema: Type[BaseModel] = SearchInput
"#;
    let expected = json!({
        "name": "Search_the_archive",
        "description": "Searches the archive.",
        "parameters": {
            "type": "object",
            "properties": {
                "query": { "type": "string", "description": "What to look for." },
                "limit": { "type": "integer", "minimum": 1 },
            },
            "required": ["query"],
        },
    });
    assert_eq!(Value::Object(read(source).unwrap().into_schema()), expected);
    assert_eq!(entry_point(Language::Python, source).unwrap(), "Search");
}

#[test]
fn without_a_model_the_methods_annotations_are_the_schema() {
    let source = r#"
def helper():
    pass

class Adder(tools.BaseTool):
    """Adds numbers.

    Args:
        a: The first.
    """
    name = "adder"

    def _run(self, a: int, b: "Optional[int]" = None, run_manager: Optional[CallbackManagerForToolRun] = None) -> int:
        return a + (b or 0)

    async def _arun(self, *anything): ...
"#;
    let properties = json!({ "a": { "type": "integer", "description": "The first." }, "b": { "type": "integer" } });
    let expected = Signature {
        name: "adder".into(),
        description: "Adds numbers.".into(),
        parameters: json!({ "type": "object", "properties": properties, "required": ["a"] }),
    };
    assert_eq!(read(source).unwrap(), expected);
    let unnamed =
        "class Echo(BaseTool):\n    def run(self, text: str) -> str:\n        'Echoes.'\n        return text\n";
    let echo = read(unnamed).unwrap();
    assert_eq!((echo.name.as_str(), echo.description.as_str()), ("Echo", "Echoes."));
}

#[test]
fn what_the_author_gives_goes_first() {
    let arguments = json!({
        "type": "object", "required": ["steps"], "description": "Of the model.",
        "properties": { "steps": { "type": "array", "items": { "type": "string" } } },
    });
    let arguments = arguments.as_object().unwrap();
    let expected = json!({
        "type": "object", "properties": { "steps": { "type": "array", "items": { "type": "string" } } },
        "required": ["steps"],
    });
    let undocumented = "def plan(steps):\n    return steps\n";
    let documented = "def plan(steps: Unknown):\n    \"\"\" Of the docstring. \"\"\"\n";
    for (source, description, said) in [
        (undocumented, None, "Of the model."),
        (documented, None, "Of the docstring."),
        (documented, Some("Of the request."), "Of the request."),
        (undocumented, Some("Of the request."), "Of the request."),
    ] {
        let given = Given { description, arguments: Some(arguments), ..Given::default() };
        let signature = derive(Language::Python, source, given).unwrap();
        assert_eq!((signature.description.as_str(), &signature.parameters), (said, &expected));
    }
}

#[test]
fn refusals_say_what_is_missing() {
    let doc = "\"\"\"Doc.\n\n    Args:\n        a: x\n    \"\"\"";
    for (source, expected) in [
        (
            "def f(:\n".to_owned(),
            "Failed to parse source code: invalid syntax (<unknown>, line 1): Expected a parameter or the end of the parameter list",
        ),
        (
            "\n\ndef f():\n    x = = 1\n".to_owned(),
            "Failed to parse source code: invalid syntax (<unknown>, line 4): Expected an expression",
        ),
        (
            "x = 1\n".to_owned(),
            "No function found: the last function at the top level of the file is the tool, or the last class that derives from BaseTool",
        ),
        (
            "class A:\n    def f(self): pass\n".to_owned(),
            "No function found: the last function at the top level of the file is the tool, or the last class that derives from BaseTool",
        ),
        (
            "class A(BaseTool):\n    name = 'a'\n".to_owned(),
            "No function found: the last function at the top level of the file is the tool, or the last class that derives from BaseTool",
        ),
        (
            "class A(BaseTool):\n    name = 'a'\n    def _run(self): pass\n".to_owned(),
            "Function 'A' lacks a docstring that describes it",
        ),
        (
            "class A(BaseTool):\n    description = 'A.'\n    args_schema = make()\n    def _run(self, x: int): pass\n"
                .to_owned(),
            "Type error in schema generation: Parameter 'args_schema' in function 'A': it has to be a model that is defined in the source",
        ),
        (
            "class A(BaseTool):\n    description = 'A.'\n    def _run(self, **all): pass\n".to_owned(),
            "Type error in schema generation: Parameter '**all' in function 'A': a tool's arguments have to be known; use a dict",
        ),
        ("def f(a: int):\n    return a\n".to_owned(), "Function 'f' lacks a docstring that describes it"),
        ("def f():\n    \"\"\" \"\"\"\n".to_owned(), "Function 'f' lacks a docstring that describes it"),
        (
            format!("def f(a):\n    {doc}\n"),
            "Type error in schema generation: Parameter 'a' in function 'f' lacks a type annotation",
        ),
        (
            format!("def f(a: int, b: int):\n    {doc}\n"),
            "Parameter 'b' in function 'f' lacks a description in the docstring",
        ),
        (
            format!("def f(a: Frame):\n    {doc}\n"),
            "Type error in schema generation: Parameter 'a' in function 'f': the type 'Frame' is neither built in nor defined in the source",
        ),
        (
            format!("class M(BaseModel):\n    at: Frame\n\ndef f(a: M):\n    {doc}\n"),
            "Type error in schema generation: Parameter 'a' in function 'f': field 'at': the type 'Frame' is neither built in nor defined in the source",
        ),
        (
            format!("def f(a: 1 + 1):\n    {doc}\n"),
            "Type error in schema generation: Parameter 'a' in function 'f': its annotation is not a type",
        ),
        (
            format!("A = B\nB = A\ndef f(a: A):\n    {doc}\n"),
            "Type error in schema generation: Parameter 'a' in function 'f': the type 'A' is defined by itself",
        ),
        (
            format!("def f(a: int, *more: int):\n    {doc}\n"),
            "Type error in schema generation: Parameter '*more' in function 'f': a tool is called with named arguments only; use a list",
        ),
        (
            format!("def f(a: int, **more):\n    {doc}\n"),
            "Type error in schema generation: Parameter '**more' in function 'f': a tool's arguments have to be known; use a dict",
        ),
        (
            format!("def f(a: int, /):\n    {doc}\n"),
            "Type error in schema generation: Parameter 'a' in function 'f': a tool is called with named arguments only; remove the '/'",
        ),
        (
            format!("class C(Enum):\n    A = make()\ndef f(a: Literal[C.A]):\n    {doc}\n"),
            "Type error in schema generation: Parameter 'a' in function 'f': a Literal may hold only texts, numbers, booleans and members of an Enum of the source",
        ),
        (
            format!("def größe(a: int):\n    {doc}\n"),
            "'größe' cannot be a tool's name: 1 to 64 ASCII letters, digits, '_' and '-'",
        ),
    ] {
        assert_eq!(refused(&source), expected, "{source}");
    }
}
