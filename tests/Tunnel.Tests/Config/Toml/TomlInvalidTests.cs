using System.Text;
using Tunnel.App.Config.Toml;

namespace Tunnel.Tests.Config.Toml;

/// <summary>Every case is one mistake: exactly one error, at this line and column.</summary>
public class TomlInvalidTests
{
    [Theory]
    [InlineData("a", 1, 2)]
    [InlineData("a =", 1, 4)]
    [InlineData("a = # c", 1, 5)]
    [InlineData("= 1", 1, 1)]
    [InlineData("a b = 1", 1, 3)]
    [InlineData("a = 1 b = 2", 1, 7)]
    [InlineData("a = 1, 2", 1, 6)]
    [InlineData("a == 1", 1, 4)]
    [InlineData("a : 1", 1, 3)]
    [InlineData("a\n= 1\n", 1, 2, 2, 1)]
    [InlineData("a =\n", 1, 4)]
    [InlineData("é = 1", 1, 1)]
    [InlineData("a. = 1", 1, 4)]
    [InlineData(".a = 1", 1, 1)]
    [InlineData("a..b = 1", 1, 3)]
    [InlineData("\"a = 1", 1, 1)]
    [InlineData("'a = 1", 1, 1)]
    [InlineData("\"\"\"a\"\"\" = 1", 1, 1)]
    [InlineData("'''a''' = 1", 1, 1)]
    [InlineData("\"a\\q\" = 1", 1, 3)]
    [InlineData("a! = 1", 1, 2)]
    [InlineData("a = 1\ra = 2", 1, 6)]
    [InlineData("\r", 1, 1)]
    [InlineData("a = 1 # x\ry", 1, 10)]
    [InlineData("# \u0000", 1, 3)]
    [InlineData("# \u007F", 1, 3)]
    [InlineData("# \u001F and \u0001", 1, 3)]
    [InlineData("\u0000", 1, 1)]
    [InlineData("a = 1 \u000B", 1, 7)]
    [InlineData("\u00A0a = 1", 1, 1)]
    [InlineData("a = 1\n\uFEFFb = 1", 2, 1)]
    public void LayoutAndKeys(string toml, params int[] positions) => AssertErrors(toml, positions);

    [Theory]
    [InlineData("\"", 5)]
    [InlineData("\"abc", 5)]
    [InlineData("'abc", 5)]
    [InlineData("\"a\" b", 9)]
    [InlineData("'a''", 8)]
    [InlineData("'it's'", 9)]
    [InlineData("\"\\", 6, 5)]
    [InlineData("\"\\a\"", 6)]
    [InlineData("\"\\e\"", 6)]
    [InlineData("\"\\x41\"", 6)]
    [InlineData("\"\\ \"", 6)]
    [InlineData("\"\\/\"", 6)]
    [InlineData("\"\\'\"", 6)]
    [InlineData("\"\\u12\"", 6)]
    [InlineData("\"\\u12G4\"", 6)]
    [InlineData("\"\\uD800\"", 6)]
    [InlineData("\"\\uDFFF\"", 6)]
    [InlineData("\"\\U00110000\"", 6)]
    [InlineData("\"\\UFFFFFFFF\"", 6)]
    [InlineData("\"\\U0000D800\"", 6)]
    [InlineData("\"\\U0001F60\"", 6)]
    [InlineData("\"a\u0000b\"", 7)]
    [InlineData("\"a\u001Fb\"", 7)]
    [InlineData("\"a\u007Fb\"", 7)]
    [InlineData("\"a\rb\"", 7)]
    [InlineData("'a\u0008b'", 7)]
    [InlineData("'a\rb'", 7)]
    [InlineData("\"\"\"a\u0000\"\"\"", 9)]
    [InlineData("\"\"\"a\rb\"\"\"", 9)]
    [InlineData("\"\"\"\\q\"\"\"", 8)]
    [InlineData("\"\"\"a \\ b\"\"\"", 10)]
    [InlineData("'''a\rb'''", 9)]
    [InlineData("\"\"\"a", 5)]
    [InlineData("\"\"\"a\"\"", 5)]
    [InlineData("'''a''", 5)]
    [InlineData("\"\"\"a\"\"\"\"\"\"", 14)]
    [InlineData("'''a''''''", 14)]
    [InlineData("\"😀\\q\"", 7)]
    public void Strings(string value, params int[] columns) => AssertValueErrors(value, columns);

    [Theory]
    [InlineData("abc")]
    [InlineData("True")]
    [InlineData("FALSE")]
    [InlineData("truer")]
    [InlineData("01")]
    [InlineData("-01")]
    [InlineData("00")]
    [InlineData("0_1")]
    [InlineData("_1")]
    [InlineData("1_")]
    [InlineData("1__0")]
    [InlineData("++1")]
    [InlineData("+")]
    [InlineData("-")]
    [InlineData("1-2")]
    [InlineData("12a")]
    [InlineData("9223372036854775808")]
    [InlineData("-9223372036854775809")]
    [InlineData("0x8000000000000000")]
    [InlineData("0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF")]
    [InlineData("0x")]
    [InlineData("0xg")]
    [InlineData("0x_1")]
    [InlineData("0x1_")]
    [InlineData("0X1")]
    [InlineData("0o8")]
    [InlineData("0O7")]
    [InlineData("0b2")]
    [InlineData("0B1")]
    [InlineData("+0x1")]
    [InlineData("-0b1")]
    [InlineData(".5")]
    [InlineData("-.5")]
    [InlineData("5.")]
    [InlineData("5.e1")]
    [InlineData("1.2.3")]
    [InlineData("03.1")]
    [InlineData("1e")]
    [InlineData("1e+")]
    [InlineData("1e2.3")]
    [InlineData("1e2e3")]
    [InlineData("1_.5")]
    [InlineData("1._5")]
    [InlineData("1.5_")]
    [InlineData("1_e5")]
    [InlineData("1e_5")]
    [InlineData("1e5_")]
    [InlineData("Inf")]
    [InlineData("NaN")]
    [InlineData("infinity")]
    [InlineData("++inf")]
    [InlineData("inf_")]
    public void NumbersAndWords(string value) => AssertValueErrors(value, 5);

    [Theory]
    [InlineData("1979-13-01")]
    [InlineData("1979-00-01")]
    [InlineData("1979-01-32")]
    [InlineData("1979-01-00")]
    [InlineData("1979-02-29")]
    [InlineData("1900-02-29")]
    [InlineData("1979-1-01")]
    [InlineData("1979-01-1")]
    [InlineData("79-01-01")]
    [InlineData("1979-05")]
    [InlineData("1979-05-27T")]
    [InlineData("1979-05-27Z")]
    [InlineData("1979-05-27X07:32:00")]
    [InlineData("1979-05-27T07:32")]
    [InlineData("1979-05-27 07:32Z")]
    [InlineData("1979-05-27T24:00:00")]
    [InlineData("1979-05-27T07:60:00")]
    [InlineData("1979-05-27T07:32:61")]
    [InlineData("1979-05-27T07:32:00.")]
    [InlineData("1979-05-27T07:32:00.Z")]
    [InlineData("1979-05-27T07:32:00+24:00")]
    [InlineData("1979-05-27T07:32:00+07:60")]
    [InlineData("1979-05-27T07:32:00+7")]
    [InlineData("1979-05-27T07:32:00+0700")]
    [InlineData("1979-05-27T07:32:00ZZ")]
    [InlineData("12:3:00")]
    [InlineData("12:30")]
    [InlineData("24:00:00")]
    [InlineData("12:60:00")]
    [InlineData("12:30:61")]
    [InlineData("12:30:00Z")]
    [InlineData("12:30:00+01:00")]
    [InlineData("1:30:00")]
    public void Moments(string value) => AssertValueErrors(value, 5);

    [Theory]
    [InlineData("[1", 7)]
    [InlineData("[1 2]", 8)]
    [InlineData("[,1]", 6)]
    [InlineData("[1,,2]", 8)]
    [InlineData("[1]]", 8)]
    [InlineData("[1}", 7)]
    [InlineData("[a]", 6)]
    [InlineData("[a=1]", 6)]
    [InlineData("{", 6)]
    [InlineData("{a}", 7)]
    [InlineData("{a=1", 9)]
    [InlineData("{a=1,}", 10)]
    [InlineData("{,}", 6)]
    [InlineData("{a=1 b=2}", 10)]
    [InlineData("{a=1,,b=2}", 10)]
    [InlineData("{a=}", 8)]
    [InlineData("{a=1]", 9)]
    [InlineData("{a=1}}", 10)]
    [InlineData("{a=1,a=2}", 10)]
    [InlineData("{a.b=1,a=2}", 12)]
    [InlineData("{a=1,a.b=2}", 10)]
    [InlineData("{a={b=1},a.c=2}", 14)]
    [InlineData("{a.b={},a.b.c=2}", 15)]
    [InlineData("{# c", 6)]
    public void Collections(string value, int column) => AssertValueErrors(value, column);

    [Theory]
    [InlineData("v = {\n}", 1, 6, 2, 1)]
    [InlineData("v = {a=1,\nb=2}", 1, 10, 2, 4)]
    [InlineData("v = {a=1\n}", 1, 9, 2, 1)]
    [InlineData("v = [\n1\n2\n]\n", 3, 1)]
    [InlineData("v = [\n1,\n", 3, 1)]
    [InlineData("v = [ # \u0001\n]", 1, 9)]
    public void CollectionsOverLines(string toml, params int[] positions) => AssertErrors(toml, positions);

    [Theory]
    [InlineData("a=1\na=2", 2, 1)]
    [InlineData("a=1\n\"a\"=2", 2, 1)]
    [InlineData("a=1\na.b=2", 2, 1)]
    [InlineData("a.b=1\na=2", 2, 1)]
    [InlineData("a.b=1\na.b.c=2", 2, 3)]
    [InlineData("a.b=1\na.b=2", 2, 3)]
    [InlineData("a={}\na.b=1", 2, 1)]
    [InlineData("a={b={}}\na.b.c=1", 2, 1)]
    [InlineData("a={}\n[a]", 2, 2)]
    [InlineData("a={}\n[a.b]", 2, 2)]
    [InlineData("a={}\n[[a]]", 2, 3)]
    [InlineData("a=[]\n[[a]]", 2, 3)]
    [InlineData("a=[{}]\n[a.b]", 2, 2)]
    [InlineData("a=[]\n[a]", 2, 2)]
    [InlineData("a=1\n[a]", 2, 2)]
    [InlineData("a=1\n[a.b]", 2, 2)]
    [InlineData("a.b=1\n[a]", 2, 2)]
    [InlineData("a.b.c=1\n[a.b]", 2, 4)]
    [InlineData("a.b=1\n[[a]]", 2, 3)]
    [InlineData("[a]\n[a]", 2, 2)]
    [InlineData("[a]\n[b]\n[a]", 3, 2)]
    [InlineData("[a]\nb=1\n[a.b]", 3, 4)]
    [InlineData("[a]\nb.c=1\n[a.b]", 3, 4)]
    [InlineData("[a.b]\n[a]\nb=1", 3, 1)]
    [InlineData("[a.b]\n[a]\nb.c=1", 3, 1)]
    [InlineData("[a.b.c]\n[a]\nb.c.t=1", 3, 3)]
    [InlineData("[a.b.c]\n[a]\nb.x=1\n[a.b]", 4, 4)]
    [InlineData("[[a]]\n[a]", 2, 2)]
    [InlineData("[a]\n[[a]]", 2, 3)]
    [InlineData("[a.b]\n[[a]]", 2, 3)]
    [InlineData("[[a]]\n[[a.b]]\n[a.b]", 3, 4)]
    [InlineData("[[a.b]]\n[a]\nb.y=2", 3, 1)]
    [InlineData("[[a]]\nb=1\n[a.b]", 3, 4)]
    [InlineData("[[a]]\nb=[]\n[[a.b]]", 3, 5)]
    [InlineData("[a]\nx=1\nx=2", 3, 1)]
    [InlineData("[]", 1, 2)]
    [InlineData("[ ]", 1, 3)]
    [InlineData("[[]]", 1, 3)]
    [InlineData("[a", 1, 3)]
    [InlineData("[a]]", 1, 4)]
    [InlineData("[[a]", 1, 4)]
    [InlineData("[[a] ]", 1, 4)]
    [InlineData("[ [a]]", 1, 3)]
    [InlineData("[a] b=1", 1, 5)]
    [InlineData("[a.]", 1, 4)]
    [InlineData("[.a]", 1, 2)]
    [InlineData("[a..b]", 1, 4)]
    [InlineData("[a b]", 1, 4)]
    [InlineData("[a\n]", 1, 3, 2, 1)]
    [InlineData("[\"a]", 1, 2)]
    [InlineData("[a=1]", 1, 3)]
    public void Definitions(string toml, params int[] positions) => AssertErrors(toml, positions);

    [Theory]
    [InlineData(new byte[] { (byte)'a', (byte)'=', (byte)'"', 0xFF, (byte)'"' }, 1, 4)]
    [InlineData(new byte[] { (byte)'#', 0xC3 }, 1, 2)]
    [InlineData(new byte[] { (byte)'#', 0xC0, 0x80 }, 1, 2)]
    [InlineData(new byte[] { (byte)'\n', (byte)'#', 0xED, 0xA0, 0x80 }, 2, 2)]
    [InlineData(new byte[] { (byte)'#', 0xF4, 0x90, 0x80, 0x80 }, 1, 2)]
    [InlineData(new byte[] { 0xFE, 0xFF, 0, (byte)'a', 0, (byte)'=' }, 1, 1)]
    public void InvalidUtf8(byte[] utf8, int line, int column)
    {
        TomlError error = Assert.Single(TomlDocument.Parse(utf8).Errors);
        Assert.Equal(new TomlPosition(line, column), error.Position);
    }

    [Fact]
    public void EveryErrorOfAFileIsReportedAtOnce()
    {
        const string Toml = "a = 01\nb = 1\nc = \"\\q\"\n[t\nd = 2\n[b]\nx = \nb = tru\n";
        AssertErrors(Toml, 1, 5, 3, 6, 4, 3, 6, 2, 7, 5, 8, 5);
    }

    [Fact]
    public void TheRestOfABrokenArrayIsNotReported() =>
        AssertErrors("a = [\n  1,\n  zz,\n  'b',\n  [2],\n]\nb = 1\nc = zz", 3, 3, 8, 5);

    [Theory]
    [InlineData("[", "]")]
    [InlineData("{a=", "}")]
    [InlineData("{a.b.c=", "}")]
    [InlineData("[{a=", "}]")]
    public void HostileNestingIsAnError(string open, string close)
    {
        string toml = "a = " + string.Concat(Enumerable.Repeat(open, 100_000)) + string.Concat(Enumerable.Repeat(close, 100_000));
        Assert.Contains("nested deeper", Assert.Single(TomlValidTests.Read(toml).Errors).Message);
    }

    [Fact]
    public void HostileKeysAreAnError()
    {
        string key = string.Concat(Enumerable.Repeat("a.", 100_000)) + "a";
        Assert.Single(TomlValidTests.Read($"{key} = 1").Errors);
        Assert.Single(TomlValidTests.Read($"[{key}]").Errors);
    }

    [Fact]
    public void ErrorsAreBounded() =>
        Assert.Equal(TomlErrors.Limit, TomlValidTests.Read(string.Concat(Enumerable.Repeat("?\n", 10_000))).Errors.Count);

    [Theory]
    [InlineData("key = hunter2")]
    [InlineData("key = \"hunter2")]
    [InlineData("key = 'hunter2' hunter2")]
    [InlineData("key = [hunter2]")]
    [InlineData("key = \"\\hunter2\"")]
    [InlineData("key hunter2")]
    public void ErrorsNeverQuoteValues(string toml) =>
        Assert.All(TomlValidTests.Read(toml).Errors, error => Assert.DoesNotContain("hunter", error.ToString()));

    private static void AssertValueErrors(string value, params int[] columns) =>
        AssertErrors($"v = {value}", [.. columns.Order().SelectMany(column => new[] { 1, column })]);

    private static void AssertErrors(string toml, params int[] positions)
    {
        IReadOnlyList<TomlError> errors = TomlDocument.Parse(Encoding.UTF8.GetBytes(toml)).Errors;
        IEnumerable<TomlPosition> expected = positions.Chunk(2).Select(pair => new TomlPosition(pair[0], pair[1]));
        Assert.Equal(expected, errors.Select(error => error.Position));
    }
}
