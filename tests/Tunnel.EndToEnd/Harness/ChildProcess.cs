using System.Collections.Concurrent;
using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Tunnel.EndToEnd.Harness;

/// <summary>A program that runs beside the test: its lines are kept, its end is awaited, and it never outlives the tests.</summary>
internal class ChildProcess : IAsyncDisposable
{
    private static readonly ConcurrentDictionary<ChildProcess, bool> Running = new();

    private readonly Process _process;
    private readonly List<string> _lines = [];
    private readonly Task _reading;

    static ChildProcess() => AppDomain.CurrentDomain.ProcessExit += (_, _) =>
    {
        foreach (ChildProcess child in Running.Keys)
            child.Kill();
    };

    /// <param name="networkNamespace">Where it runs; null is where the tests do.</param>
    /// <param name="program">The executable.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="environment">What is set in addition.</param>
    public ChildProcess(
        string? networkNamespace, string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        Name = Path.GetFileName(program);
        // ip becomes the program that it runs, so the process id is the program's.
        string[] command = networkNamespace is null
            ? [program, .. arguments]
            : ["ip", "netns", "exec", networkNamespace, program, .. arguments];
        // A shell's background jobs ignore interrupts, and what nohup starts ignores hangups; so would whatever the tests start.
        command = ["env", "--default-signal=INT,HUP", .. command];
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment[Leftovers.RunVariable] = $"{Environment.ProcessId}";
        foreach ((string key, string value) in environment ?? new Dictionary<string, string>())
            start.Environment[key] = value;
        _process = Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start");
        Running[this] = true;
        _reading = Task.WhenAll(CollectAsync(_process.StandardOutput), CollectAsync(_process.StandardError));
    }

    public string Name { get; }

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    /// <summary>What it has written so far, both outputs together.</summary>
    public string[] Lines
    {
        get
        {
            lock (_lines)
                return [.. _lines];
        }
    }

    public string Text => string.Join('\n', Lines);

    /// <summary>Memory that it holds now.</summary>
    public long ResidentBytes
    {
        get
        {
            string line = File.ReadLines($"/proc/{Id}/status").First(l => l.StartsWith("VmRSS:", StringComparison.Ordinal));
            return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1]) * 1024;
        }
    }

    public int Count(string text) => Lines.Count(l => l.Contains(text, StringComparison.Ordinal));

    /// <summary>Waits until a line with this text has come, the <paramref name="times"/>th time.</summary>
    public async Task<string> LineAsync(string text, int times = 1, TimeSpan? limit = null)
    {
        int seen = 0;
        string? line = null;
        await Until.TrueAsync($"{Name} says \"{text}\"", () => Look() || HasExited, limit);
        if (line is null)
            await _reading;
        Assert.True(Look(), $"{Name} ended without \"{text}\":\n{Text}");
        return line!;

        // Each line once: some say a lot.
        bool Look()
        {
            lock (_lines)
            {
                for (; line is null && seen < _lines.Count; seen++)
                {
                    if (_lines[seen].Contains(text, StringComparison.Ordinal) && --times == 0)
                        line = _lines[seen];
                }
            }

            return line is not null;
        }
    }

    public void Terminate() => Signal(15);

    public void Interrupt() => Signal(2);

    /// <summary>What asks a service to read its file again.</summary>
    public void HangUp() => Signal(1);

    /// <summary>Stops it where it is, as a host that hangs would.</summary>
    public void Pause() => Signal(19);

    public void Resume() => Signal(18);

    /// <summary>Ends it as a crash would.</summary>
    public void Kill() => Signal(9);

    public async Task<int> ExitAsync(TimeSpan? limit = null)
    {
        await Until.TrueAsync($"{Name} ends", () => HasExited, limit);
        await _reading;
        return _process.ExitCode;
    }

    public async Task KillAsync()
    {
        Kill();
        await ExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        // Gently first: what it set up on this machine is its own to remove.
        Terminate();
        await Task.WhenAny(_process.WaitForExitAsync(), Task.Delay(TimeSpan.FromSeconds(10)));
        Kill();
        await _process.WaitForExitAsync();
        await _reading;
        Running.TryRemove(this, out _);
        _process.Dispose();
    }

    private void Signal(int number)
    {
        // A process that has been waited for has lost its number, which may be another's by now.
        if (!_process.HasExited && SendSignal(_process.Id, number) != 0 && !_process.HasExited)
            throw new Win32Exception();
    }

    private async Task CollectAsync(StreamReader output)
    {
        while (await output.ReadLineAsync() is { } line)
        {
            lock (_lines)
                _lines.Add(line);
        }
    }

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static extern int SendSignal(int process, int signal);
}
