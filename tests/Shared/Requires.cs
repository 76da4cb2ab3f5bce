using System.Globalization;

namespace Tunnel.Tests.Shared;

/// <summary>
/// What a test needs of the machine. Without it the test is skipped and says why, except with TUNNEL_TEST_REQUIRE_ALL=1, where
/// everything is expected to be there and the test fails.
/// </summary>
internal static class Requires
{
    private const int NetworkAdministration = 12;
    private const int RawSockets = 13;
    private const int SystemAdministration = 21;

    private static readonly string[] ToolFolders = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

    /// <summary>May open raw sockets and change interfaces. In a container even root may not.</summary>
    public static void Root()
    {
        That(Environment.IsPrivilegedProcess, "needs root");
        That(HasCapability(NetworkAdministration), "needs the capability CAP_NET_ADMIN");
        That(HasCapability(RawSockets), "needs the capability CAP_NET_RAW");
    }

    /// <summary>May make network namespaces.</summary>
    public static void Namespaces()
    {
        Root();
        Tool("ip");
        That(HasCapability(SystemAdministration), "needs the capability CAP_SYS_ADMIN, to make network namespaces");
    }

    /// <summary>The program is installed.</summary>
    public static void Tool(string name) => That(HasTool(name), $"needs the program {name}");

    public static bool HasTool(string name) => ToolFolders.Any(folder => File.Exists(Path.Combine(folder, name)));

    public static void That(bool there, string reason)
    {
        if (there)
            return;
        if (Environment.GetEnvironmentVariable("TUNNEL_TEST_REQUIRE_ALL") == "1")
            Assert.Fail(reason);
        Assert.Skip(reason);
    }

    private static bool HasCapability(int number)
    {
        const string label = "CapEff:";
        string? line = File.ReadLines("/proc/self/status").FirstOrDefault(l => l.StartsWith(label, StringComparison.Ordinal));
        return line is not null
            && (ulong.Parse(line.AsSpan(label.Length).Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture) >> number & 1) != 0;
    }
}
