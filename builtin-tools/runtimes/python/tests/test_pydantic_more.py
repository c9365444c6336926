"""The rarer parts of the stand-in for pydantic: what is expected is what the original answers."""

import abc
import copy
import datetime
import enum
import functools
import json
import typing
import unittest
from typing import Annotated, Dict, Generic, List, Literal, Optional, TypeVar, Union

import prepare  # noqa: F401

import pydantic
from pydantic import AliasChoices, AliasPath, BaseModel, ConfigDict, Discriminator, Field, Tag, TypeAdapter, ValidationError

T = TypeVar("T")
K = TypeVar("K")


class Row(BaseModel):
    """Something with a number."""

    n: int


class Page(BaseModel, Generic[T]):
    """Several of something."""

    items: List[T]
    first: Optional[T] = None


class Pair(BaseModel, Generic[K, T]):
    """Two things."""

    key: K
    value: T
    more: Optional[Page[T]] = None


class Node(BaseModel, Generic[T]):
    """Contains its own kind."""

    value: T
    children: List["Node[T]"] = []


def kinds(call):
    """What is wrong, and where."""
    try:
        call()
    except ValidationError as error:
        return [(problem["type"], problem["loc"]) for problem in error.errors()]
    return []


class Generics(unittest.TestCase):
    """Models with type parameters."""

    def test_parameters_are_checked(self):
        """Whatever is given for them."""
        page = Page[Row](items=[{"n": "1"}])
        self.assertEqual(repr(page), "Page[Row](items=[Row(n=1)], first=None)")
        self.assertIsInstance(page, Page)
        self.assertIs(Page[Row], type(page))
        self.assertEqual(Page(items=[1, "a"]).items, [1, "a"])
        self.assertEqual(Pair[str, int](key="a", value="3", more={"items": ["4"]}).more.items, [4])
        self.assertEqual(Pair[str, T][int](key="a", value="3").value, 3)
        self.assertEqual(Pair[str, T][int].__name__, "Pair[str, int]")
        self.assertEqual(kinds(lambda: Page[int](items=["x"])), [("int_parsing", ("items", 0))])
        self.assertEqual(Node[int](value="1", children=[{"value": "2"}]).children[0].value, 2)
        self.assertEqual(Page[int].model_json_schema()["title"], "Page[int]")
        with self.assertRaises(TypeError):
            Pair[int]

    def test_derived(self):
        """Classes that fill parameters in, and fields that do."""

        class Numbers(Page[int]):
            name: str = "x"

        class Held(BaseModel):
            page: Page[Row]

        self.assertEqual(Numbers(items=["4"]).items, [4])
        self.assertEqual(Held(page=Page(items=[{"n": 2}])).page.items[0].n, 2)
        self.assertIn("Page_Row_", Held.model_json_schema()["$defs"])


class Names(unittest.TestCase):
    """Fields that are given under other names."""

    def test_paths_and_choices(self):
        """Inside of what is given."""

        class User(BaseModel):
            full: str = Field(validation_alias=AliasPath("name", "full"))
            first: str = Field(default="?", validation_alias=AliasChoices("first", AliasPath("name", "parts", 0)))

        self.assertEqual(User.model_validate({"name": {"full": "A", "parts": ["p"]}}).first, "p")
        self.assertEqual(User.model_validate({"name": {"full": "A"}, "first": "q"}).first, "q")
        self.assertEqual(User.model_validate({"name": {"full": "A", "parts": []}}).model_dump(), {"full": "A", "first": "?"})
        self.assertEqual(kinds(lambda: User.model_validate({"name": {}})), [("missing", ("name", "full"))])

    def test_generators(self):
        """Names made from names."""
        from pydantic.alias_generators import to_camel, to_pascal, to_snake

        class Person(BaseModel):
            model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)
            first_name: str
            born_in: int = Field(1, alias="year")

        self.assertEqual(Person(firstName="a", year=2).model_dump(by_alias=True), {"firstName": "a", "year": 2})
        self.assertEqual(list(Person.model_json_schema()["properties"]), ["firstName", "year"])
        self.assertEqual([to_pascal("a_bc"), to_camel("a_bc"), to_snake("HTTPServer2Go")], ["ABc", "aBc", "http_server_2_go"])


class Unions(unittest.TestCase):
    """Members that something tells apart."""

    def test_by_a_field(self):
        """Wherever the union stands."""

        class Cat(BaseModel):
            kind: Literal["cat"] = "cat"
            lives: int = 9

        class Dog(BaseModel):
            kind: Literal["dog", "hound"] = "dog"

        Pet = Annotated[Union[Cat, Dog], Field(discriminator="kind")]

        class Home(BaseModel):
            pets: List[Pet] = []
            by_name: Dict[str, Optional[Pet]] = {}

        home = Home(pets=[{"kind": "hound"}], by_name={"a": {"kind": "cat", "lives": "3"}, "b": None})
        self.assertEqual((home.pets[0].kind, home.by_name["a"].lives, home.by_name["b"]), ("hound", 3, None))
        self.assertEqual(kinds(lambda: Home(pets=[{"kind": "fish"}, {}])),
                         [("union_tag_invalid", ("pets", 0)), ("union_tag_not_found", ("pets", 1))])
        self.assertEqual(kinds(lambda: TypeAdapter(Pet).validate_python({"kind": "cat", "lives": "x"})),
                         [("int_parsing", ("cat", "lives"))])

    def test_by_a_function(self):
        """Which looks at the value."""

        class A(BaseModel):
            a: int

        class B(BaseModel):
            b: int

        def which(value):
            return "a" if "a" in value else "b"

        either = TypeAdapter(Annotated[Union[Annotated[A, Tag("a")], Annotated[B, Tag("b")]], Discriminator(which)])
        self.assertIsInstance(either.validate_python({"a": 1}), A)
        self.assertIsInstance(either.validate_python({"b": 1}), B)

    def test_the_model_that_fits_best(self):
        """Not the first that takes some of it."""

        class Short(BaseModel):
            x: int

        class Long(BaseModel):
            x: int
            y: int = 0

        self.assertEqual(TypeAdapter(Union[Short, Long]).validate_python({"x": 1, "y": 2}), Long(x=1, y=2))


class Classes(unittest.TestCase):
    """What else models are."""

    def test_abstract_models(self):
        """Cannot be made."""

        class Shape(BaseModel, abc.ABC):
            @abc.abstractmethod
            def area(self): ...

        class Square(Shape):
            side: float

            def area(self):
                return self.side**2

        self.assertEqual(Square(side="2").area(), 4)
        with self.assertRaises(TypeError):
            Shape()

    def test_private_attributes_without_annotations(self):
        """Belong to one model, and are copied with it."""

        class Counter(BaseModel):
            start: int = 0
            _count = 0
            _seen: list = pydantic.PrivateAttr(default_factory=list)

            def bump(self):
                self._count += 1
                self._seen.append(self._count)
                return self._count

        one = Counter()
        one.bump()
        deep = copy.deepcopy(one)
        self.assertEqual([one.bump(), deep.bump(), Counter().bump()], [2, 2, 1])
        self.assertEqual((deep._seen, one.model_copy()._seen, one.model_dump()), ([1, 2], [1, 2], {"start": 0}))

    def test_properties_in_dumps(self):
        """Computed ones, not cached ones."""

        class Model(BaseModel):
            a: int

            @pydantic.computed_field(alias="Double")
            @functools.cached_property
            def double(self) -> int:
                return self.a * 2

            @functools.cached_property
            def hidden(self):
                return [self.a]

        model = Model(a=2)
        self.assertIs(model.hidden, model.hidden)
        self.assertEqual(model.model_dump(), {"a": 2, "double": 4})
        self.assertEqual(model.model_dump(by_alias=True), {"a": 2, "Double": 4})
        self.assertEqual(model, Model(a=2))

    def test_wrapped_checks_and_what_callers_tell(self):
        """Validators around others, and the context."""

        class Model(BaseModel):
            a: Annotated[int, pydantic.WrapValidator(lambda value, check: check(value) * 10)]
            b: str = ""

            @pydantic.field_validator("b")
            @classmethod
            def suffixed(cls, value, info: pydantic.ValidationInfo):
                return value + (info.context or {}).get("suffix", "")

            @pydantic.model_validator(mode="wrap")
            @classmethod
            def around(cls, given, check):
                made = check(given)
                made.a += 1
                return made

        self.assertEqual(Model.model_validate({"a": "3", "b": "x"}, context={"suffix": "!"}).model_dump(), {"a": 31, "b": "x!"})
        self.assertEqual(Model(a=1, b="x").model_dump(), {"a": 11, "b": "x"})

    def test_serializers(self):
        """In their kinds."""

        class Model(BaseModel):
            at: datetime.datetime
            length: datetime.timedelta = datetime.timedelta(hours=1, seconds=30)
            secret: pydantic.SecretStr = pydantic.SecretStr("x")
            tags: typing.Set[str] = {"b", "a"}

            @pydantic.field_serializer("tags", when_used="json")
            def in_order(self, value):
                return sorted(value)

            @pydantic.model_serializer(mode="wrap")
            def whole(self, write):
                return {**write(self), "more": 1}

        model = Model(at="2024-01-02T03:04:05Z")
        self.assertEqual(model.model_dump(include={"tags"}), {"tags": {"a", "b"}, "more": 1})
        self.assertEqual(
            json.loads(model.model_dump_json()),
            {"at": "2024-01-02T03:04:05Z", "length": "PT1H30S", "secret": "**********", "tags": ["a", "b"], "more": 1},
        )
        nested = pydantic.RootModel[List[Row]]([{"n": 1}, {"n": 2}])
        self.assertEqual(TypeAdapter(dict).dump_python({"rows": nested, "n": 1}, exclude={"n"}), {"rows": [{"n": 1}, {"n": 2}]})

    def test_strictness(self):
        """No conversion from another type."""

        class Model(BaseModel):
            a: int = Field(1, strict=True)
            b: pydantic.StrictStr = "x"
            c: Annotated[int, pydantic.Strict()] = 1

        wrong = kinds(lambda: Model(a="1", b=2, c="3"))
        self.assertEqual(wrong, [("int_type", ("a",)), ("string_type", ("b",)), ("int_type", ("c",))])

    def test_types_with_a_form_of_their_own(self):
        """Read from text."""

        class Model(BaseModel):
            plan: pydantic.Json[List[int]]
            size: pydantic.ByteSize = 0
            data: pydantic.Base64Str = ""
            when: Optional[pydantic.AwareDatetime] = None
            price: pydantic.condecimal(max_digits=4, decimal_places=2) = 0

        model = Model(plan="[1, 2]", size="1.5MB", data="aGk=")
        self.assertEqual((model.plan, model.size, model.data), ([1, 2], 1_500_000, "hi"))
        self.assertEqual(model.size.human_readable(), "1.4MiB")
        wrong = kinds(lambda: Model(plan="[", when="2024-01-01T00:00:00", price="123.456"))
        self.assertEqual(wrong, [("json_invalid", ("plan",)), ("timezone_aware", ("when",)), ("decimal_max_digits", ("price",))])


class Elsewhere(unittest.TestCase):
    """Where the original keeps its parts, and how version 1 had them."""

    def test_version_1(self):
        """Validators that are told by name, settings in a class."""
        from pydantic.v1 import BaseModel as Old, Extra, root_validator, validator

        class Model(Old):
            name: str
            count: int = None

            class Config:
                extra = Extra.forbid
                use_enum_values = True

            @validator("name")
            def upper(cls, value, values, field):
                return f"{value.upper()}{len(values)}{field.name}"

            @validator("count", pre=True, always=True)
            def seven(cls, value):
                return value or 7

            @root_validator
            def whole(cls, values):
                return {**values, "count": values["count"] + 1}

        self.assertEqual(Model(name="a").dict(), {"name": "A0name", "count": 8})
        self.assertEqual(kinds(lambda: Model(name="a", x=1)), [("extra_forbidden", ("x",))])
        self.assertEqual(pydantic.parse_obj_as(List[int], ["1"]), [1])

    def test_generic_models_of_version_1(self):
        """Derive from `GenericModel`."""
        from pydantic.generics import GenericModel

        class Old(GenericModel, Generic[T]):
            items: List[T]

        self.assertEqual(Old[int](items=["1"]).dict(), {"items": [1]})

    def test_modules(self):
        """As imports name them."""
        from pydantic.functional_validators import AfterValidator
        from pydantic.json_schema import SkipJsonSchema
        from pydantic.networks import HttpUrl
        from pydantic.types import Json
        from pydantic_core import PydanticCustomError, from_json, to_jsonable_python

        def odd(value):
            raise PydanticCustomError("odd", "{value} is odd", {"value": value})

        self.assertEqual(kinds(lambda: TypeAdapter(Annotated[int, AfterValidator(odd)]).validate_python(3)), [("odd", ())])
        self.assertEqual(from_json('{"a": 1}'), {"a": 1})
        self.assertEqual(to_jsonable_python({"at": datetime.date(2024, 1, 1)}), {"at": "2024-01-01"})
        self.assertEqual(TypeAdapter(SkipJsonSchema[HttpUrl]).validate_python("https://a.b/c").path, "/c")
        self.assertEqual(TypeAdapter(Json).validate_python("[1]"), [1])
        secure = TypeAdapter(Annotated[pydantic.AnyUrl, pydantic.UrlConstraints(allowed_schemes=["wss"])])
        self.assertEqual(kinds(lambda: secure.validate_python("ws://a.b")), [("url_scheme", ())])

    def test_dataclasses(self):
        """That check what they are made of."""
        import dataclasses

        from pydantic.dataclasses import dataclass

        @dataclass
        class Place:
            row: int
            label: str = Field("x", max_length=3)
            tags: List[str] = dataclasses.field(default_factory=list)

            def __post_init__(self):
                self.twice = self.row * 2

        place = Place("3", tags=["a"])
        self.assertEqual((repr(place), place.twice), (f"{Place.__qualname__}(row=3, label='x', tags=['a'])", 6))
        self.assertEqual(kinds(lambda: Place(row="x", label="long")), [("int_parsing", ("row",)), ("string_too_long", ("label",))])

        class Held(BaseModel):
            place: Place

        self.assertEqual(Held(place={"row": "1"}).model_dump(), {"place": {"row": 1, "label": "x", "tags": []}})

    def test_enumerations_as_their_values(self):
        """Also those in lists."""

        class Color(enum.Enum):
            RED = "red"

        class Model(BaseModel):
            model_config = ConfigDict(use_enum_values=True)
            colors: List[Color]

        self.assertEqual(Model(colors=["red"]).colors, ["red"])


if __name__ == "__main__":
    unittest.main()
