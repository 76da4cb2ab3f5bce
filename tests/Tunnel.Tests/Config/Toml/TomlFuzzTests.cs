using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Tunnel.App.Config.Toml;

namespace Tunnel.Tests.Config.Toml;

/// <summary>No input throws, hangs, or gives an error outside the text.</summary>
public class TomlFuzzTests
{
    private const string Sample = """"
        # é
        "q\u0041" = 'l'
        a.b = { c = [1, 2.5e3, 0xF_F, 1979-05-27 07:32:00.5+01:00], d.e = inf }
        s = "\n\"\U0001F600"
        m = '''
        x''''
        [[t.u]]
        k = [
          true, # c
          07:32:00,
        ]
        [t.u.v]
        w = """
        a \
          b"""
        """";

    [Fact]
    public void MutatedDocuments()
    {
        Assert.Empty(TomlValidTests.Read(Sample).Errors);
        int seed = Environment.TickCount;
        var random = new Random(seed);
        byte[] original = Encoding.UTF8.GetBytes(Sample);
        for (int i = 0; i < 20_000; i++)
        {
            byte[] mutated = Mutation.Of(original, random);
            AssertSane(mutated, $"seed {seed}, round {i}");
        }
    }

    [Fact]
    public void RandomBytes() =>
        Prop.ForAll<byte[]>(bytes => AssertSane(bytes, "")).QuickCheckThrowOnFailure();

    [Fact]
    public void RandomText() =>
        Prop.ForAll<string>(text => AssertSane(Encoding.UTF8.GetBytes(text ?? ""), "")).QuickCheckThrowOnFailure();

    private static void AssertSane(byte[] utf8, string story)
    {
        try
        {
            TomlDocument document = TomlDocument.Parse(utf8);
            int lines = 1 + utf8.Count(b => b == '\n');
            Assert.All(document.Errors, error => Assert.InRange(error.Position.Line, 1, lines));
            TomlPrinter.Print(document.Root);
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"{story}: {Convert.ToHexString(utf8)}", e);
        }
    }
}
