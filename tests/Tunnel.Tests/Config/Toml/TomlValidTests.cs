using System.Text;
using Tunnel.App.Config.Toml;

namespace Tunnel.Tests.Config.Toml;

public class TomlValidTests
{
    [Theory]
    [InlineData("", "{}")]
    [InlineData("\n\r\n \t\n", "{}")]
    [InlineData("# only a comment", "{}")]
    [InlineData("# tab\there, and é", "{}")]
    [InlineData("a = 1 # behind", "{a:1}")]
    [InlineData("a = 1\r\nb = 2\r\n", "{a:1,b:2}")]
    [InlineData("\uFEFFa = 1", "{a:1}")]
    [InlineData("a=1", "{a:1}")]
    [InlineData(" \ta \t= \t1 \t", "{a:1}")]
    public void Layout(string toml, string expected) => AssertReads(toml, expected);

    [Theory]
    [InlineData("bare_key-1 = 1", "{bare_key-1:1}")]
    [InlineData("1234 = 1", "{1234:1}")]
    [InlineData("- = 1", "{-:1}")]
    [InlineData("true = 1", "{true:1}")]
    [InlineData("\"quoted key\" = 1", "{quoted key:1}")]
    [InlineData("'lit\\eral' = 1", "{lit\\eral:1}")]
    [InlineData("\"\" = 1", "{:1}")]
    [InlineData("'' = 1", "{:1}")]
    [InlineData("\"\\u0061\" = 1", "{a:1}")]
    [InlineData("a.b.c = 1", "{a:{b:{c:1}}}")]
    [InlineData("a . b\t.c = 1", "{a:{b:{c:1}}}")]
    [InlineData("a.\"b.c\".'d' = 1", "{a:{b.c:{d:1}}}")]
    [InlineData("a.b = 1\na.c = 2", "{a:{b:1,c:2}}")]
    [InlineData("a.b = 1\nz = 0\na.c = 2", "{a:{b:1,c:2},z:0}")]
    [InlineData("3.14 = 1", "{3:{14:1}}")]
    [InlineData("\"ʎǝʞ\" = 1", "{ʎǝʞ:1}")]
    public void Keys(string toml, string expected) => AssertReads(toml, expected);

    [Theory]
    [InlineData("\"\"", "''")]
    [InlineData("\"é 😀 \t\"", "'é 😀 <TAB>'")]
    [InlineData(@"""\b\t\n\f\r\""\\""", "'\b<TAB><LF>\f<CR>\"\\'")]
    [InlineData(@"""\u00e9\U0001F600""", "'é😀'")]
    [InlineData(@"""\uD7FF\uE000""", "'\uD7FF\uE000'")]
    [InlineData("\"# no comment\"", "'# no comment'")]
    [InlineData("''", "''")]
    [InlineData(@"'C:\no\escape""'", @"'C:\no\escape""'")]
    [InlineData("\"\"\"\"\"\"", "''")]
    [InlineData("\"\"\"a\nb\"\"\"", "'a<LF>b'")]
    [InlineData("\"\"\"\na\n\"\"\"", "'a<LF>'")]
    [InlineData("\"\"\"\r\na\r\nb\"\"\"", "'a<LF>b'")]
    [InlineData("\"\"\"\n\na\"\"\"", "'<LF>a'")]
    [InlineData("\"\"\"a \\\n   b\"\"\"", "'a b'")]
    [InlineData("\"\"\"a \\  \t\r\n \n\t\n   b \\\n  \"\"\"", "'a b '")]
    [InlineData("\"\"\"\\\n\"\"\"", "''")]
    [InlineData("\"\"\"a\\\\\nb\"\"\"", "'a\\<LF>b'")]
    [InlineData("\"\"\"one \" two \"\" \\\"\"\" end\"\"\"", "'one \" two \"\" \"\"\" end'")]
    [InlineData("\"\"\"a\"\"\"\"", "'a\"'")]
    [InlineData("\"\"\"a\"\"\"\"\"", "'a\"\"'")]
    [InlineData("\"\"\"\"a\"\"\"", "'\"a'")]
    [InlineData("\"\"\"\"\"a\"\"\"", "'\"\"a'")]
    [InlineData("''''''", "''")]
    [InlineData("'''\na\\\n b'''", "'a\\<LF> b'")]
    [InlineData("'''a''''", "'a''")]
    [InlineData("'''''a''b'''''", "'''a''b'''")]
    public void Strings(string value, string expected) => AssertValue(value, expected);

    [Theory]
    [InlineData("0", "0")]
    [InlineData("+0", "0")]
    [InlineData("-0", "0")]
    [InlineData("+99", "99")]
    [InlineData("-17", "-17")]
    [InlineData("1_000", "1000")]
    [InlineData("1_2_3", "123")]
    [InlineData("9223372036854775807", "9223372036854775807")]
    [InlineData("-9223372036854775808", "-9223372036854775808")]
    [InlineData("0xDEAD_beef", "3735928559")]
    [InlineData("0x7fffffffffffffff", "9223372036854775807")]
    [InlineData("0x00", "0")]
    [InlineData("0xe1", "225")]
    [InlineData("0o755", "493")]
    [InlineData("0b1101_0110", "214")]
    public void Integers(string value, string expected) => AssertValue(value, expected);

    [Theory]
    [InlineData("1.0", "1f")]
    [InlineData("+3.14", "3.14f")]
    [InlineData("-0.01", "-0.01f")]
    [InlineData("0.0", "0f")]
    [InlineData("-0.0", "-0f")]
    [InlineData("5e+22", "5E+22f")]
    [InlineData("1e06", "1000000f")]
    [InlineData("0e0", "0f")]
    [InlineData("-2E-2", "-0.02f")]
    [InlineData("6.626e-34", "6.626E-34f")]
    [InlineData("224_617.445_991", "224617.445991f")]
    [InlineData("1e1_0", "10000000000f")]
    [InlineData("inf", "Infinityf")]
    [InlineData("+inf", "Infinityf")]
    [InlineData("-inf", "-Infinityf")]
    [InlineData("nan", "NaNf")]
    [InlineData("+nan", "NaNf")]
    [InlineData("-nan", "NaNf")]
    [InlineData("true", "true")]
    [InlineData("false", "false")]
    public void FloatsAndBooleans(string value, string expected) => AssertValue(value, expected);

    [Theory]
    [InlineData("1979-05-27T07:32:00Z", "1979-05-27T07:32:00+0")]
    [InlineData("1979-05-27t07:32:00z", "1979-05-27T07:32:00+0")]
    [InlineData("1979-05-27 07:32:00Z", "1979-05-27T07:32:00+0")]
    [InlineData("1979-05-27T00:32:00-07:00", "1979-05-27T00:32:00-420")]
    [InlineData("1979-05-27T00:32:00.999999+05:45", "1979-05-27T00:32:00.999999000+345")]
    [InlineData("1979-05-27T07:32:00", "1979-05-27T07:32:00")]
    [InlineData("1979-05-27 07:32:00.5", "1979-05-27T07:32:00.500000000")]
    [InlineData("1979-05-27", "1979-05-27")]
    [InlineData("1979-05-27 # comment", "1979-05-27")]
    [InlineData("2000-02-29", "2000-02-29")]
    [InlineData("0000-02-29", "0000-02-29")]
    [InlineData("9999-12-31", "9999-12-31")]
    [InlineData("07:32:00", "07:32:00")]
    [InlineData("00:32:00.1234567891234", "00:32:00.123456789")]
    [InlineData("23:59:60", "23:59:60")]
    public void Moments(string value, string expected) => AssertValue(value, expected);

    [Theory]
    [InlineData("[]", "[]")]
    [InlineData("[ ]", "[]")]
    [InlineData("[1,2]", "[1,2]")]
    [InlineData("[1,2,]", "[1,2]")]
    [InlineData("[1, 'a', 2.5, true, {a=1}, [1979-05-27]]", "[1,'a',2.5f,true,{a:1},[1979-05-27]]")]
    [InlineData("[\n  1, # one\n\n  # two\n  2\n  ,\n]", "[1,2]")]
    [InlineData("[[1],[[]]]", "[[1],[[]]]")]
    [InlineData("[\"\"\"a\nb\"\"\"]", "['a<LF>b']")]
    [InlineData("{}", "{}")]
    [InlineData("{ }", "{}")]
    [InlineData("{a=1,b='x'}", "{a:1,b:'x'}")]
    [InlineData("{ a . b = 1, a.c = 2 }", "{a:{b:1,c:2}}")]
    [InlineData("{a={b={}}}", "{a:{b:{}}}")]
    [InlineData("{a=[\n1,\n]}", "{a:[1]}")]
    public void Collections(string value, string expected) => AssertValue(value, expected);

    [Theory]
    [InlineData("[a]", "{a:{}}")]
    [InlineData("[ a . 'b' ] # c\nx=1", "{a:{b:{x:1}}}")]
    [InlineData("[a.b]\n[a]\nx=1", "{a:{b:{},x:1}}")]
    [InlineData("[a]\n[a.b]\n[a.c]", "{a:{b:{},c:{}}}")]
    [InlineData("[a.b.c]\n[a]\nb.x=1", "{a:{b:{c:{},x:1}}}")]
    [InlineData("[f]\na.c=1\n[f.a.t]\nx=1", "{f:{a:{c:1,t:{x:1}}}}")]
    [InlineData("[[a]]\nx=1\n[[a]]\n[[a]]\nx=3", "{a:T[{x:1},{},{x:3}]}")]
    [InlineData("[[a]]\n[a.b]\nx=1\n[[a.c]]\n[[a]]\n[a.b]\nx=2", "{a:T[{b:{x:1},c:T[{}]},{b:{x:2}}]}")]
    [InlineData("[[a.b]]\n[a]\nx=1", "{a:{b:T[{}],x:1}}")]
    [InlineData("[[a]]\n[[a.b]]\n[[a.b]]", "{a:T[{b:T[{},{}]}]}")]
    [InlineData("[x.y.z.w]\n[x]", "{x:{y:{z:{w:{}}}}}")]
    [InlineData("[\"\"]\na=1", "{:{a:1}}")]
    public void Tables(string toml, string expected) => AssertReads(toml, expected);

    [Fact]
    public void PositionsCountCharacters()
    {
        TomlTable root = Read("'é😀' = { b = [ 1 ] }\r\n\t[t]\nk = \"\"\"\n\"\"\"").Root;

        Assert.Equal(new TomlPosition(1, 1), root.Entries[0].Position);
        var inline = (TomlTable)root.Entries[0].Value;
        Assert.Equal(new TomlPosition(1, 8), inline.Position);
        Assert.Equal(new TomlPosition(1, 10), inline.Entries[0].Position);
        Assert.Equal(new TomlPosition(1, 16), ((TomlArray)inline.Entries[0].Value).Items[0].Position);
        Assert.Equal(new TomlPosition(2, 3), root.Entries[1].Position);
        Assert.Equal(new TomlPosition(2, 2), root.Entries[1].Value.Position);
        Assert.Equal(new TomlPosition(3, 5), ((TomlTable)root.Entries[1].Value).Entries[0].Value.Position);
    }

    internal static TomlDocument Read(string toml) => TomlDocument.Parse(Encoding.UTF8.GetBytes(toml));

    private static void AssertValue(string value, string expected) => AssertReads($"v = {value}\nend = 1", $"{{v:{expected},end:1}}");

    private static void AssertReads(string toml, string expected)
    {
        TomlDocument document = Read(toml);
        Assert.Empty(document.Errors);
        Assert.Equal(expected, TomlPrinter.Print(document.Root));
    }
}
