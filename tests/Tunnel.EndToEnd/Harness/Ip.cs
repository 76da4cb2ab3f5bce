namespace Tunnel.EndToEnd.Harness;

/// <summary>iproute2's commands, many in one shell: a host is made of a dozen, and there is a host or two for each test.</summary>
internal static class Ip
{
    /// <param name="commands">Each without the ip in front, in words that a shell takes as they are; the first that fails is the last.</param>
    public static async Task RunAsync(params IEnumerable<string> commands) =>
        (await Tool.RunAsync("sh", "-e", "-c", string.Join('\n', commands.Select(c => $"ip {c}")))).Expect();
}
