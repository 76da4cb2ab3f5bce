using Tunnel.App.Hosting;
using Tunnel.Tests.Config;

namespace Tunnel.Tests.Hosting;

public class RehearsalTests
{
    /// <summary>Whatever the file asks for, a session comes up and ends: otherwise this throws.</summary>
    [Theory]
    [InlineData("")]
    [InlineData("block = \"aes-256-gcm\"")]
    [InlineData("block = \"salsa20\"\nmtu = 1350")]
    [InlineData("block = \"null\"\nguard = false")]
    [InlineData("smux_version = 1\nmode = \"normal\"")]
    public Task ASessionComesUpAndEnds(string knobs) => Rehearsal.RunAsync(ConfigText.ValidServer(ConfigText.Server + knobs).Transport);
}
