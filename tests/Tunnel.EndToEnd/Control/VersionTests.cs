using System.Text.Json;
using Tunnel.EndToEnd.Harness;

namespace Tunnel.EndToEnd.Control;

/// <summary>What is said where somebody reports a problem.</summary>
public class VersionTests : EndToEndTest
{
    [Fact(Timeout = Limit)]
    public async Task AllProgramsAreOfOneVersion()
    {
        using JsonDocument json = JsonDocument.Parse((await Tool.RunAsync(Binaries.Control, "version", "--json")).Expect());
        string version = json.RootElement.GetProperty("version").GetString()!;
        string text = (await Tool.RunAsync(Binaries.Control, "version")).Expect();
        Assert.Equal($"tunnel {version}, {json.RootElement.GetProperty("runtime")}, {json.RootElement.GetProperty("machine")}\n", text);
        foreach (string program in new[] { Binaries.Server, Binaries.Client, Binaries.Control })
            Assert.Equal(version, (await Tool.RunAsync(program, "--version")).Expect().TrimEnd('\n').Split('+')[0]);
    }
}
