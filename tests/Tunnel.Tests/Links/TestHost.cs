using System.Diagnostics;

namespace Tunnel.Tests.Links;

/// <summary>What tests do to the machine: commands, and a veth pair that goes away again.</summary>
internal static class TestHost
{
    private static int _serial;

    /// <summary>Skips a test that captures or changes interfaces when the process may not.</summary>
    public static void RequireRoot()
    {
        Requires.Root();
        Requires.Tool("ip");
    }

    public static string Run(string command)
    {
        string[] words = command.Split(' ');
        var start = new ProcessStartInfo(words[0], words[1..]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using Process process = Process.Start(start)!;
        string output = process.StandardOutput.ReadToEnd() + process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? output : throw new InvalidOperationException($"{command}: {output}");
    }

    public static VethPair NewVeth() => new($"tl-{Environment.ProcessId % 100000}{(char)('a' + Interlocked.Increment(ref _serial))}");

    public sealed class VethPair : IDisposable
    {
        public VethPair(string name)
        {
            Left = name + "0";
            Right = name + "1";
            Run($"ip link add {Left} type veth peer name {Right}");
            Run($"ip link set {Left} up");
            Run($"ip link set {Right} up");
            WaitForCarrier(Left);
            WaitForCarrier(Right);
        }

        public string Left { get; }

        public string Right { get; }

        /// <summary>The kernel notices a carrier in its own time; until then it takes what is sent, and drops it without a word.</summary>
        private static void WaitForCarrier(string name)
        {
            long giveUp = Environment.TickCount64 + 2000;
            while (File.ReadAllText($"/sys/class/net/{name}/operstate").Trim() != "up" && Environment.TickCount64 < giveUp)
                Thread.Sleep(1);
        }

        public void Dispose()
        {
            try
            {
                Run($"ip link del {Left}");
            }
            catch (InvalidOperationException)
            {
                // The test deleted it.
            }
        }
    }
}
